"""Building and exporting in one go, and the review of what was exported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from shared.errors import UnknownSigner
from shared.review import Review, review

if TYPE_CHECKING:
    from online.chains.api import Gateway
    from online.jobs.export import Exported
    from online.orders.model import Order
    from online.store.database import Store


def export_orders(
    store: Store, gateways: Mapping[str, Gateway], now: int, order: Order | None, signer_name: str | None
) -> Exported:
    """Build what is approved, of one order or of all, and export it for one signer; if it can not go, build nothing.

    Raises:
        Refusal: as `require_ready`, `build_approved` and `export_request`.
    """
    from online.jobs.build import build_approved
    from online.jobs.export import export_request, require_ready
    from online.jobs.renew import renew_stale

    signer = _signer(store, order, signer_name)
    of = None if order is None else order.id
    require_ready(store, signer, order=of)
    heights = _heights(store, gateways, signer, of)
    renew_stale(store, signer, heights, now, order=of)
    build_approved(store, gateways, now, order=of)
    return export_request(store, signer, now, order=of, heights=heights)


def _heights(
    store: Store, gateways: Mapping[str, Gateway], signer: bytes, order: bytes | None
) -> dict[str, int]:
    """Ask the networks of what is built already for their newest heights."""
    from online.jobs.export import waiting
    from online.jobs.states import State

    with store.reading() as connection:
        networks = {job.network for job in waiting(connection, signer, order, (State.BUILT,))}
    return {name: gateway.height() for name, gateway in gateways.items() if name in networks}


def review_of(store: Store, digest: bytes) -> Review:
    """Give the review of a request, the same as the signer's."""
    from online.jobs.export import request_review_input

    return review(request_review_input(store, digest), digest)


def _signer(store: Store, order: Order | None, name: str | None) -> bytes:
    from online.store.signers import signer, signers
    from online.store.wallets import wallet

    if name is not None:
        return signer(store, name).public_key
    if order is not None:
        return wallet(store, order.wallet).signer
    paired = signers(store)
    if len(paired) != 1:
        raise UnknownSigner(f"{len(paired)} signers are paired", hint="Name an order, or one with --signer.")
    return paired[0].public_key
