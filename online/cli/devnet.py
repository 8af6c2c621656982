"""`lockgate devnet`: a small ledger on this machine, for trials. Its money is worth nothing."""

from __future__ import annotations

import errno
import signal
from pathlib import Path

import click

from online.cli.ledgers import LEDGERS, Ledger
from online.cli.output import note, say
from shared.errors import FileTrouble

_PORT = click.IntRange(0, 65535)
_USUAL = ", ".join(f"{ledger.ports['port']} for {name}" for name, ledger in LEDGERS.items())
_ledger = click.option(
    "--ledger", "name", type=click.Choice(list(LEDGERS)), default="xrpl", show_default=True, help="Which."
)


@click.group(invoke_without_command=True)
@_ledger
@click.option("--port", type=_PORT, help=f"JSON-RPC; else {_USUAL}.")
@click.option("--ws-port", type=_PORT, help="xrpl: websocket too, on this port.")
@click.option("--counterparty-port", type=_PORT, help="bitcoin: Counterparty's API; else 4000.")
@click.option("--interval", type=click.FloatRange(0.05, 3600), default=3.0, show_default=True, help="Seconds a block.")
@click.option("--state", type=click.Path(path_type=Path), help="Keep the ledger in this file.")
@click.pass_context
def devnet(ctx: click.Context, /, name: str, interval: float, state: Path | None, **ports: int | None) -> None:
    """Run a small ledger until Ctrl-C: xrpl:local, bitcoin:regtest with Counterparty, or near:localnet."""
    if ctx.invoked_subcommand is not None:
        return
    ledger = LEDGERS[name]
    chosen = _ports(name, ledger, ports)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that a kept ledger is saved at its end too
    try:
        ledger.run(chosen, interval, state, note)
    except ValueError as trouble:
        raise FileTrouble(f"the ledger can not be read back: {trouble}", hint="Name another --state file.") from None
    except OSError as trouble:
        if trouble.errno != errno.EADDRINUSE:
            raise
        raise FileTrouble("another program has the port", hint="Name a free --port, or end that program.") from None


@devnet.command()
@click.argument("address")
@click.argument("amount")
@_ledger
@click.option("--asset", help="Its code; else the ledger's own coin.")
@click.option("--url", help="Where it runs; else where it runs usually.")
def fund(address: str, amount: str, name: str, asset: str | None, url: str | None) -> None:
    """Give AMOUNT, in whole coins, to ADDRESS on a running devnet, at once."""
    say(f"funded {address}: {LEDGERS[name].fund(address, amount, asset, url)}")


def _ports(name: str, ledger: Ledger, given: dict[str, int | None]) -> dict[str, int]:
    strange = [port for port, number in given.items() if number is not None and port not in ledger.ports]
    if strange:
        raise click.UsageError(f"--{strange[0].replace('_', '-')} is no port of {name}")
    asked = {port: given[port] if given[port] is not None else usual for port, usual in ledger.ports.items()}
    return {port: number for port, number in asked.items() if number is not None}
