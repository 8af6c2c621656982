"""`lockgate sweep`, `prime` and `consolidate`: orders whose amounts come from what addresses hold."""

from __future__ import annotations

import click

from online.cli.drafting import Form, form_options

_at = click.option("--at", "only", multiple=True, help="These addresses alone.")


@click.command()
@click.option("--to", required=True, help="The holding address.")
@click.option("--asset", "assets", multiple=True, help="Sweep this asset, address by address, not the native one.")
@click.option("--everything", is_flag=True, help="Sweep every asset of one address by one message.")
@click.option("--ownerships", is_flag=True, help="With --everything: the ownership of its assets too.")
@click.option("--memo", help="With --asset or --everything: a memo as text.")
@click.option("--unconfirmed", is_flag=True, help="With them: spend what our own transactions give before a block.")
@_at
@form_options(pays=True)
def sweep(
    form: Form, to: str, assets: tuple[str, ...], memo: str | None, only: tuple[str, ...], *, everything: bool,
    ownerships: bool, unconfirmed: bool,
) -> None:  # fmt: skip
    """Draft that all a wallet's addresses hold goes to one address. Prompts: station; the drafter."""
    from online.orders.gathering import draft_asset_sweep, draft_sweep
    from online.orders.lines import canonical_memo
    from online.orders.spending import draft_everything
    from online.store.assets import asset
    from shared.effects import Destination

    further = bool(memo) or unconfirmed
    if bool(assets) + everything > 1 or (ownerships and not everything) or (further and not (assets or everything)):
        raise click.UsageError("--asset and --everything are two kinds; other options go with them")
    if everything and only:
        raise click.UsageError("--everything is of one address: --address")
    with form.open() as (store, asking):
        purser, network = form.purser(store), form.network(store)
        target = Destination(to, memo=canonical_memo(network, memo, None))
        terms = {**form.terms, **({"unconfirmed": 1} if unconfirmed else {})}
        if everything:
            order = draft_everything(
                store, asking, wallet=form.wallet, to=target, source=form.address, ownerships=ownerships,
                terms=terms,
            )  # fmt: skip
        elif assets:
            order = draft_asset_sweep(
                store, purser, asking, wallet=form.wallet, to=target,
                assets=[asset(store, network, code) for code in assets], terms=terms, only=only,
            )  # fmt: skip
        else:
            order = draft_sweep(store, purser, asking, wallet=form.wallet, to=to, terms=form.terms, only=only)
        form.show(store, order)


@click.command()
@click.option("--for", "wallets", multiple=True, help="A wallet whose addresses pay for sends.")
@click.option("--for-memo", "memo_wallets", multiple=True, help="A wallet whose addresses take sends with memos.")
@_at
@form_options(pays=True)
def prime(form: Form, wallets: tuple[str, ...], memo_wallets: tuple[str, ...], only: tuple[str, ...]) -> None:
    """Draft that addresses holding less than the settings' least amount get it. Prompts: station; the drafter."""
    from online.orders.gathering import draft_prime
    from online.store.wallets import keys
    from shared.errors import UnknownWallet

    with form.open() as (store, asking):
        network = form.network(store)
        primed = [
            (key.address, form.app.config.priming(network, memo=memo))
            for memo, names in ((False, wallets), (True, memo_wallets))
            for name in names
            for key in keys(store, name)
            if not only or key.address in only
        ]
        if unknown := set(only) - {address for address, _ in primed}:
            raise UnknownWallet(f"{min(unknown)[:60]!r} is no address of these wallets")
        order = draft_prime(
            store, form.purser(store), asking, wallet=form.wallet, primed=primed, source=form.address, terms=form.terms
        )
        form.show(store, order)


@click.command()
@click.option("--coins", type=click.IntRange(2, 500), default=500, show_default=True, help="Of so many at most.")
@form_options(pays=True)
def consolidate(form: Form, coins: int) -> None:
    """Draft that an address's many small coins become one of its own. Prompts: station; the drafter.

    The largest coin stays out, so that payments need not wait for it.
    """
    from online.orders.drafting import draft_consolidation

    with form.open() as (store, asking):
        order = draft_consolidation(
            store, asking, wallet=form.wallet, coins=coins, source=form.address, terms=form.terms
        )
        form.show(store, order)
