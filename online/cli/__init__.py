"""The coordinator's command line, `lockgate`: a command parses, calls one function and prints.

No rule stands here. Exit codes: 0 done, 1 refused, 2 misuse, 3 a fault of the program. A noun's module is
loaded when it is called.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from online.cli.app import App
from online.cli.output import note, refused
from shared.errors import Refusal

DONE, REFUSED, MISUSE, FAULT = 0, 1, 2, 3

_COMMANDS = {
    "init": ("setup", "Set up a coordinator: data folder, station key, store."),
    "person": ("person", "People: make a key file, register, list."),
    "wallet": ("wallet", "Signers and wallets: pair, import cards, list."),
    "rebalance": ("draft", "Draft an order that moves money between own wallets."),
    "tickets": ("draft", "Draft an order for XRPL tickets, for payments in parallel."),
    "order": ("order", "Orders and their jobs: list, show, rebuild, withdraw."),
    "approve": ("draft", "Approve an order that somebody else drafted."),
    "request": ("request", "Requests for the signer: export, list, show again."),
    "answer": ("answer", "Answers of the signer: import."),
    "run": ("run", "Submit what is signed, and watch it to its end."),
    "books": ("books", "The books: sheet, trial balance, journal, check, opening."),
    "audit": ("audit", "Journals: verify, export, compare, import the signer's."),
    "decode": ("decode", "Explain a transaction, signed or unsigned, or refuse it."),
    "devnet": ("devnet", "Run a small XRP Ledger on this machine."),
    "demo": ("demo", "Move 80,000 XRP from cold to hot, and tell what happened."),
    "bench": ("bench", "Measure the crossing and the signer."),
    "doctor": ("doctor", "Check this machine, the store and the nodes."),
}


class Nouns(click.Group):
    """The commands by name, each loaded when it is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names in the order of a day's work."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"online.cli.{_COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=Nouns, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", type=click.Path(path_type=Path), help="Data folder; else $LOCKGATE_HOME.")
@click.option("--station-passphrase-fd", type=int, help="Read the station's passphrase from there.")
@click.pass_context
def lockgate(ctx: click.Context, home: Path | None, station_passphrase_fd: int | None) -> None:
    """Move money between hot, warm and cold wallets: plan, carry to the signer, submit, watch, book.

    Secrets are asked for on the terminal, or read as one line of standard input each: the station's first.
    """
    from online.config import default_home

    ctx.obj = App(home or default_home(), station_passphrase_fd)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    try:
        result = lockgate.main(args=argv, prog_name="lockgate", standalone_mode=False)
    except Refusal as refusal:
        refused(refusal)
        return REFUSED
    except click.ClickException as misuse:
        misuse.show()
        return MISUSE
    except (click.Abort, KeyboardInterrupt):
        note("stopped")
        return REFUSED
    except BrokenPipeError:
        sys.stderr.close()  # who read the output went away; there is nobody to tell
        return REFUSED
    except Exception:  # noqa: BLE001 - the command's edge: a bug is a traceback and an exit code of its own
        traceback.print_exc()
        return FAULT
    return result if isinstance(result, int) else DONE
