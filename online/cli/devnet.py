"""`lockgate devnet`: a small XRP Ledger on this machine, for trials. Its money is worth nothing."""

from __future__ import annotations

import signal
from pathlib import Path

import click

from online.cli.output import note, say
from online.config import DEFAULT_URL


@click.group(invoke_without_command=True)
@click.option("--port", type=click.IntRange(0, 65535), default=5005, show_default=True, help="JSON-RPC.")
@click.option("--ws-port", type=click.IntRange(0, 65535), help="Websocket too, on this port.")
@click.option("--interval", type=click.FloatRange(0.05, 3600), default=3.0, show_default=True)
@click.option("--state", type=click.Path(path_type=Path), help="Keep the ledger in this file.")
@click.pass_context
def devnet(ctx: click.Context, port: int, ws_port: int | None, interval: float, state: Path | None) -> None:
    """Run a small XRP Ledger (network xrpl:local) until Ctrl-C; it closes a ledger every INTERVAL seconds."""
    if ctx.invoked_subcommand is not None:
        return
    from online.devnet.server import run_forever

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that a kept ledger is saved at its end too
    note(f"xrpl:local on http://127.0.0.1:{port}" + (f" and ws://127.0.0.1:{ws_port}" if ws_port else ""))
    run_forever(port, ws_port, interval, state)


@devnet.command()
@click.argument("address")
@click.argument("amount")
@click.option("--url", default=DEFAULT_URL, show_default=True)
def fund(address: str, amount: str, url: str) -> None:
    """Give AMOUNT (whole XRP) to ADDRESS on a running devnet, and close its ledger."""
    from online.demo.funding import fund_address

    say(f"funded {address}: {fund_address(url, address, amount)}")
