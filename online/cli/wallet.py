"""`lockgate wallet`: the signers that are paired, devices of other makers, and the wallets of both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from online.cli.app import App, pass_app
from online.cli.output import fields, json_option, listing, note
from online.cli.views import signer_value, wallet_value
from shared.errors import Refusal, WalletAlreadyOpen

if TYPE_CHECKING:
    from online.store.database import Store


@click.group()
def wallet() -> None:
    """Signers and wallets: pair, import cards, list."""


@wallet.command()
@click.argument("line")
@click.option("--name", help="Call the signer so, instead of the line's own name.")
@json_option
@pass_app
def pair(app: App, line: str, name: str | None, *, as_json: bool) -> None:
    """Pair a signer by the LINE that it showed: "NAME ed25519:HEX". Compare it by eye. Prompts: station."""
    from online.store.signers import pair_signer
    from shared.people import check_name, parse_person

    found = parse_person(line)
    with app.writing() as store:
        paired = pair_signer(store, found.key, check_name(name or found.name), app.now())
    fields(signer_value(paired), as_json=as_json)


@wallet.command("import")
@click.argument("card", type=click.Path(path_type=Path))
@click.option("--addresses", type=click.IntRange(1, 10_000), default=1, show_default=True, help="How many.")
@click.option("--no-open", is_flag=True, help="Do not post the balance on the ledger as own funds.")
@json_option
@pass_app
def import_(app: App, card: Path, addresses: int, *, no_open: bool, as_json: bool) -> None:
    """Take in a wallet from its CARD (a file), and open its books where a node answers. Prompts: station."""
    from online.store.wallets import import_card, keys
    from shared.transport.media import read_file

    sealed = read_file(card)
    with app.writing() as store:
        found = import_card(store, sealed, app.now(), addresses=addresses)
        row = wallet_value(found, keys(store, found.name))
        opened = None if no_open else _open_books(app, store, found.name, found.network)
    fields({**row, "opened": opened}, as_json=as_json)


@wallet.command()
@click.argument("name")
@click.argument("descriptor", type=click.Path(path_type=Path))
@click.option("--device", required=True, help="What to call the device that holds the keys.")
@click.option("--network", required=True, help="Such as bitcoin:mainnet.")
@click.option("--tier", type=click.Choice(["hot", "warm", "cold"]), default="cold", show_default=True)
@click.option("--addresses", type=click.IntRange(1, 10_000), default=1, show_default=True, help="How many.")
@click.option("--no-open", is_flag=True, help="Do not post the balance on the ledger as own funds.")
@json_option
@pass_app
def watch(
    app: App, /, name: str, descriptor: Path, *, addresses: int, no_open: bool, as_json: bool, **how: Any
) -> None:
    """Take in a wallet whose keys a device of another maker holds, from its DESCRIPTOR (a file). Prompts: station.

    Such a device keeps no journal and knows no policy of ours: compare its addresses with those on its own screen.
    """
    from online.store.wallets import keys, watch_wallet
    from shared.transport.media import read_file

    text = read_file(descriptor, 10_000).decode("utf-8", "replace")
    with app.writing() as store:
        found = watch_wallet(store, name, text, app.now(), addresses=addresses, **how)
        row = wallet_value(found, keys(store, found.name))
        opened = None if no_open else _open_books(app, store, found.name, found.network)
    fields({**row, "opened": opened}, as_json=as_json)


@wallet.command("list")
@json_option
@pass_app
def list_(app: App, *, as_json: bool) -> None:
    """List wallets, with their first address."""
    from online.store.wallets import keys, wallets

    with app.reading() as store:
        rows = [wallet_value(one, keys(store, one.name)) for one in wallets(store)]
    for row in rows:
        row["first_address"] = row["addresses"][0] if row["addresses"] else None
    listing(rows, ["name", "network", "tier", "curve", "first_address"], as_json=as_json)


@wallet.command()
@click.argument("name")
@json_option
@pass_app
def show(app: App, name: str, *, as_json: bool) -> None:
    """Show a wallet with all its addresses."""
    from online.store.wallets import keys
    from online.store.wallets import wallet as one_wallet

    with app.reading() as store:
        row = wallet_value(one_wallet(store, name), keys(store, name))
    fields(row, as_json=as_json)


@wallet.command()
@json_option
@pass_app
def signers(app: App, *, as_json: bool) -> None:
    """List the paired signers, and how far their journals were seen."""
    from online.store.signers import signers as all_signers

    with app.reading() as store:
        rows = [signer_value(one) for one in all_signers(store)]
    listing(rows, ["name", "key", "entries", "entries_missing"], as_json=as_json)


def _open_books(app: App, store: Store, name: str, network: str) -> dict[str, Any] | None:
    """Open the books of a wallet if it can be done now; what stands in the way is told and is no failure."""
    from online.cli.views import opening_value
    from online.ledger.books import open_wallet

    if network not in app.gateways:
        return None
    try:
        return opening_value(open_wallet(store, name, app.gateways[network], app.now()))
    except WalletAlreadyOpen:
        return None
    except Refusal as refusal:
        note(f"note: the books of {name} are not opened: {refusal} [{refusal.code}]")
        note(f"note: later, `lockgate books open {name}` does it")
        return None
