"""The small ledgers that `lockgate devnet` runs, one row each: how it is served, and how an address gets play money.

A world is imported when its row is used, so that the command's help stays quick.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol


class Run(Protocol):
    """Serve a ledger until interrupted; with a file it outlives a restart. `tell` is called once with its addresses."""

    def __call__(self, ports: Mapping[str, int], interval_seconds: float, state: Path | None,
                 tell: Callable[[str], None]) -> None:
        """Serve."""


class Fund(Protocol):
    """Give an address whole coins of an asset, the native one where none is named; say what was done."""

    def __call__(self, address: str, amount: str, asset: str | None, url: str | None) -> str:
        """Give."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """A row. `ports` are the ports that it can serve on, with their usual numbers; without one it is left out."""

    network: str
    ports: Mapping[str, int | None]
    run: Run
    fund: Fund


# --- the XRP Ledger -----------------------------------------------------------------------------------


def _run_xrpl(ports: Mapping[str, int], interval_seconds: float, state: Path | None,
              tell: Callable[[str], None]) -> None:
    from online.devnet.server import RunningServer, run_forever

    def ready(server: RunningServer) -> None:
        beside = f" and {server.ws_url.rstrip('/')}" if server.ws_url else ""
        tell(f"xrpl:local on {server.url.rstrip('/')}{beside}")

    run_forever(ports["port"], ports.get("ws_port"), interval_seconds, state, ready=ready)


def _fund_xrpl(address: str, amount: str, asset: str | None, url: str | None) -> str:
    from online.demo.funding import fund_address
    from shared.errors import UnknownAsset

    if asset not in (None, "XRP"):
        raise UnknownAsset(f"this devnet has XRP alone, and no {asset}", hint="Name no --asset.")
    return fund_address(url or "http://127.0.0.1:5005", address, amount)


# --- Bitcoin with Counterparty ------------------------------------------------------------------------


def _run_bitcoin(ports: Mapping[str, int], interval_seconds: float, state: Path | None,
                 tell: Callable[[str], None]) -> None:
    from online.devnet.bitcoin.http import RunningServer
    from online.devnet.counterparty.service import run_forever

    def ready(node: RunningServer, api: RunningServer) -> None:
        login = f"{node.user}:{node.password}@"
        tell(f"bitcoin:regtest on {node.url.replace('://', f'://{login}')}, Counterparty on {api.url}")

    run_forever(ports["port"], ports["counterparty_port"], interval_seconds, state, ready=ready)


def _fund_bitcoin(address: str, amount: str, asset: str | None, url: str | None) -> str:
    from online.devnet.bitcoin.http import PASSWORD, USER
    from online.devnet.counterparty.funding import fund_asset, fund_bitcoin

    if asset in (None, "BTC"):
        return fund_bitcoin(url or f"http://{USER}:{PASSWORD}@127.0.0.1:18443", address, amount)
    return fund_asset(url or "http://127.0.0.1:4000", address, amount, asset)


# --- NEAR ---------------------------------------------------------------------------------------------


def _run_near(ports: Mapping[str, int], interval_seconds: float, state: Path | None,
              tell: Callable[[str], None]) -> None:
    from online.devnet.near.service import run_forever
    from shared.errors import FileTrouble

    if state is not None:
        raise FileTrouble("the devnet of NEAR keeps nothing", hint="Leave --state out; it begins anew each time.")
    run_forever(ports["port"], interval_seconds, ready=lambda node: tell(f"near:localnet on {node.url}"))


def _fund_near(address: str, amount: str, asset: str | None, url: str | None) -> str:
    from online.demo.near_funding import fund_near

    return fund_near(url or "http://127.0.0.1:3030", address, amount, asset)


LEDGERS: Final[Mapping[str, Ledger]] = {
    "xrpl": Ledger("xrpl:local", {"port": 5005, "ws_port": None}, _run_xrpl, _fund_xrpl),
    "bitcoin": Ledger("bitcoin:regtest", {"port": 18443, "counterparty_port": 4000}, _run_bitcoin, _fund_bitcoin),
    "near": Ledger("near:localnet", {"port": 3030}, _run_near, _fund_near),
}
