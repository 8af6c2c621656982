"""What the commands that draft an order share: who asks, from which wallet, under which key, at what fee."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from online.cli.app import App
from online.cli.output import fields, json_option
from online.cli.views import order_value
from shared.errors import GatewayMissing

if TYPE_CHECKING:
    from online.chains.api import Purser
    from online.orders.model import Order
    from online.orders.writing import Asking, Terms
    from online.store.database import Store
    from shared.money import Asset

_Command = Callable[..., None]
_PAYING = (
    click.option("--address", help="From this address of the wallet, instead of its first."),
    click.option("--fee-rate", help="Base units a virtual byte, such as 4.5; else the node's estimate."),
)
_PAYS = ("address", "fee_rate")
_PLAIN = (
    click.option("--key", "idempotency_key", help="The order's own name, used once."),
    click.option("--as", "name", required=True, help="Who signs."),
    json_option,
)


@dataclass(frozen=True, slots=True)
class Form:
    """What was filled in alike for every kind of order; the last two only where an order pays."""

    app: App
    wallet: str
    idempotency_key: str | None
    name: str
    as_json: bool
    address: str | None = None
    fee_rate: str | None = None

    @property
    def terms(self) -> Terms:
        """Give the terms that go to the gateway."""
        return {} if self.fee_rate is None else {"fee_rate": rate_of(self.fee_rate)}

    @contextmanager
    def open(self) -> Iterator[tuple[Store, Asking]]:
        """Open the store, and the key of who asks. Prompts: station; the drafter."""
        from online.orders.writing import Asking

        with self.app.writing() as store:
            key = self.app.open_person(self.name)
            own = self.idempotency_key or secrets.token_hex(8)
            yield store, Asking(own, key.person, key.sign, self.app.now())

    def network(self, store: Store) -> str:
        """Give the network of the wallet."""
        from online.store.wallets import wallet

        return wallet(store, self.wallet).network

    def asset(self, store: Store, code: str | None) -> Asset:
        """Give an asset of the wallet's network by its code, or the native one. Raises UnknownAsset."""
        from online.store.assets import asset
        from shared.chains import chain

        network = self.network(store)
        return asset(store, network, code or chain(network).network(network).native.code)

    def purser(self, store: Store) -> Purser:
        """Give the gateway that says what addresses hold. Raises GatewayMissing."""
        from online.chains.api import Purser

        network = self.network(store)
        gateway = self.app.gateways.get(network)
        if not isinstance(gateway, Purser):
            raise GatewayMissing(f"no node of {network} is configured that counts many addresses")
        return gateway

    def show(self, store: Store, order: Order) -> None:
        """Print what was drafted."""
        fields(order_value(store, order), as_json=self.as_json)


def form_options(wallet: str = "--wallet", *, pays: bool = False) -> Callable[[_Command], _Command]:
    """Give a command the options that drafts have, as a `Form`: those of every draft, and those of drafts that pay."""
    first = click.option(wallet, "wallet", required=True, help="The wallet that pays, or is changed.")
    options = (first, *(_PAYING if pays else ()), *_PLAIN)

    def decorate(command: _Command) -> _Command:
        @functools.wraps(command)
        @click.pass_obj
        def run(app: App, /, **given: Any) -> None:
            mine = {name: given.pop(name) for name in Form.__slots__ if name in given and (pays or name not in _PAYS)}
            command(Form(app, **mine), **given)

        for option in reversed(options):
            run = option(run)
        return run

    return decorate


def rate_of(text: str) -> int:
    """Read base units a virtual byte as thousandths of them. Raises BadAmount."""
    from shared.money import Asset, parse_amount

    return parse_amount(text, Asset("", "base units a virtual byte", 3)).units
