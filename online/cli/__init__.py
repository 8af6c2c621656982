"""The coordinator's command line, `lockgate`: a command parses, calls one function and prints.

No rule stands here. A noun's module is loaded when it is called.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path

import click

from online.cli.app import App
from shared.face import ending

_COMMANDS = {
    "today": ("today", "What waits for a person, each with the next command."),
    "init": ("setup", "Set up a coordinator: data folder, station key, store."),
    "person": ("person", "People: make a key file, register, list."),
    "wallet": ("wallet", "Signers and wallets: pair, import cards, list."),
    "rebalance": ("draft", "Draft an order that moves money between own wallets."),
    "asset": ("asset", "Assets beside the native ones, with their decimals: add, list."),
    "pay": ("spending", "Draft payments to one or many."),
    "send": ("spending", "Draft one send of an asset, with a memo."),
    "batch": ("spending", "Draft sends of assets to many, from a file."),
    "options": ("spending", "Draft that an address takes payments with a memo or tag alone."),
    "sweep": ("gathering", "Draft that all a wallet's addresses hold goes to one address."),
    "prime": ("gathering", "Draft that addresses which hold too little get the least amount."),
    "consolidate": ("gathering", "Draft that an address's many coins become one of its own."),
    "bump": ("bump", "Replace a transaction on its way by one with a higher fee."),
    "tickets": ("draft", "Draft an order for XRPL tickets, for payments in parallel."),
    "lanes": ("draft", "Draft that further keys sign for an address, for payments in parallel."),
    "rotate": ("draft", "Draft that an address gets another key in the place of one."),
    "customer": ("customer", "Customers: add, list, show, hold, release, allow, disallow."),
    "deposit": ("deposit", "Where customers pay, and what arrived."),
    "suspense": ("deposit", "What arrived for nobody known: list, credit, return."),
    "mandate": ("mandate", "Two people's word that a wallet pays withdrawals by itself: draft, approve, revoke."),
    "withdrawal": ("withdrawal", "Customers' withdrawals: request, list, hold, release, cancel."),
    "trade": ("withdrawal", "Move balances between customers and the house."),
    "target": ("target", "What wallets should hold, and the orders that would bring them there."),
    "order": ("order", "Orders and their jobs: list, show, rebuild, withdraw."),
    "approve": ("draft", "Approve an order that somebody else drafted."),
    "request": ("request", "Requests for the signer: export, list, show again."),
    "answer": ("answer", "Answers of the signer: import."),
    "run": ("run", "Submit what is signed, and watch it to its end."),
    "books": ("books", "The books: sheet, trial balance, journal, statements, export, check, opening, correction."),
    "reconcile": ("reconcile", "Hold the nodes against the books, and what is held against what is owed."),
    "audit": ("audit", "Journals: verify, export, compare, import the signer's."),
    "decode": ("decode", "Explain a transaction, signed or unsigned, or refuse it."),
    "devnet": ("devnet", "Run a small ledger on this machine: xrpl, or bitcoin with Counterparty."),
    "demo": ("demo", "Move money on every ledger through the gap, and tell what happened."),
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

    app = App(home or default_home(), station_passphrase_fd)
    ctx.obj = app
    ctx.call_on_close(app.close)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    return ending.run(
        lambda: lockgate.main(args=argv, prog_name="lockgate", standalone_mode=False),
        misuse=click.ClickException, aborted=click.Abort, stopped="stopped",
    )  # fmt: skip
