"""How small a request of 500 payments gets, by how its unsigned bytes are written (docs/adr/003-columns.md).

The same request each time: two accounts with 250 tickets each, fresh destinations, amounts of all sizes. Only the
bodies other than the real one are made up here. To repeat: `python -m tests.columns_measured`.
"""

from __future__ import annotations

import random
import time
from typing import Any

from nacl.signing import SigningKey

from shared.chains.xrpl import XRPL
from shared.chains.xrpl.addresses import encode_address
from shared.chains.xrpl.build import Terms, build_payment
from shared.columns import join_columns, split_columns
from shared.effects import Destination
from shared.encoding import decode, encode
from shared.envelope import (
    NOTHING_SEEN,
    REQUEST,
    Item,
    Lot,
    SigningRequest,
    TransferRef,
    order_id,
    seal_request,
)
from shared.hdkeys import derive
from shared.money import Amount
from shared.sealed import open_sealed, seal
from shared.transport.pack import pack

PAYMENTS = 500
NETWORK = "xrpl:local"
KEY = SigningKey(bytes(range(32)))


def sign(message: bytes) -> bytes:
    return KEY.sign(message).signature


def request(*, tags: bool = False, orders: int = 1) -> SigningRequest:
    """Give the request; its payments are lines of one order, or spread over several."""
    lots = random.Random(500)
    native = XRPL.network(NETWORK).native
    paths = [XRPL.key_path(NETWORK, "secp256k1", 0, index) for index in range(2)]
    keys = [derive(bytes(range(32)), "secp256k1", path).public_key for path in paths]
    items = []
    for number in range(PAYMENTS):
        account, ticket = divmod(number, PAYMENTS // 2)
        address = XRPL.address(keys[account], "secp256k1", NETWORK)
        terms = Terms(NETWORK, address, keys[account], 12, 90_000_256, ticket=90_000_000 + ticket)
        to = Destination(encode_address(lots.randbytes(20)), lots.randrange(2**32) if tags else None)
        unsigned = build_payment(terms, to, Amount(native, lots.randrange(1_000_000, 5_000_000_000)))
        order = lots.randbytes(16).hex() if orders > 1 else "batch"
        items.append(Item(unsigned, (paths[account],), (TransferRef(order_id(order), number if orders == 1 else 0),)))
    lot = Lot(NETWORK, {"height": 90_000_000}, tuple(items))
    return SigningRequest(KEY.verify_key.encode(), bytes(32), 1_800_000_000, NOTHING_SEEN, (lot,))


def sizes(asked: SigningRequest) -> dict[str, float]:
    """Give packed bytes a payment: items as they are, their bytes behind each other, and column by column."""
    sealed = seal_request(asked, sign)
    body: Any = decode(open_sealed(sealed, REQUEST).body)
    (lot,) = body["lots"]
    blobs = [item.unsigned for item in asked.lots[0].items]

    def packed(**changes: object) -> float:
        changed = {name: value for name, value in {**lot, **changes}.items() if value is not None}
        again = encode({**body, "lots": [changed]})
        return len(pack(seal(REQUEST, again, [(asked.station, sign)]))) / PAYMENTS

    rows = [[blob, keys, refs] for blob, keys, refs in zip(blobs, lot["keys"], lot["transfers"], strict=True)]
    found = {
        "items": packed(items=rows, lengths=None, unsigned=None, keys=None, transfers=None),
        "behind each other": packed(unsigned=b"".join(blobs)),
        "columns": packed(),
    }
    assert found["columns"] == len(pack(sealed)) / PAYMENTS
    return found


def main() -> None:
    for name, asked in (
        ("one order", request()),
        ("one order, with tags", request(tags=True)),
        ("an order each", request(orders=PAYMENTS)),
    ):
        print(name, {way: round(size, 1) for way, size in sizes(asked).items()})
    blobs = [item.unsigned for item in request().lots[0].items]
    print("unsigned bytes a payment", sum(map(len, blobs)) / PAYMENTS)
    begun = time.perf_counter()
    columns = join_columns(blobs)
    middle = time.perf_counter()
    assert split_columns(columns, [len(blob) for blob in blobs]) == blobs
    print(f"join {(middle - begun) * 1e3:.2f} ms, split {(time.perf_counter() - middle) * 1e3:.2f} ms")


if __name__ == "__main__":
    main()
