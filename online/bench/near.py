"""The bench's NEAR part: 500 payments to fresh implicit accounts over four lanes of one account."""

from __future__ import annotations

import base64
import importlib
import random
import time
import zlib
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from nacl.signing import SigningKey

from online.bench.rows import Row
from online.bench.scene import Scene, rates
from shared.chains.near import NEAR
from shared.chains.near.build import Terms, payment
from shared.chains.near.codec import read_transaction
from shared.chains.near.model import Transfer
from shared.effects import Destination
from shared.envelope import Item, TransferRef, WalletCard, card_addresses, card_keys, order_id
from shared.money import Amount
from shared.transport.message import film
from shared.transport.pack import pack
from shared.transport.qr import Display

NETWORK: Final = "near:localnet"
PAYMENTS: Final = 500
LANES: Final = 4
HEIGHT: Final = 150_000_000
_CONTEXT: Final = {"height": HEIGHT, "validity": 86_400}

POLICY: Final = """
epoch = 1
network_class = "test"
clock_jump_seconds = 259200
approvers = ["{carol}"]
stations = ["{station}"]

[administrators]
quorum = 1
people = ["{carol}"]

[[wallet]]
name = "cold"
network = "near:localnet"
tier = "cold"
places = [{places}]

[[rule]]
wallet = "cold"
kinds = ["payment"]
fee_most = "0.1"
transactions_without_payment = 0
expiry_most = 86400
approvals = 1
limits.NEAR = {{ transfer = "100000", request = "50000000", day = "50000000", epoch = "50000000" }}
any_limits.NEAR = {{ transfer = "100000", request = "50000000", day = "50000000", epoch = "50000000" }}
"""


def measure(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Measure the crossing of 500 payments, and the signer beside py-near's signing alone."""
    scene = Scene(folder, NETWORK, LANES, _policy)
    items = _items(scene.card)
    request = scene.request(_CONTEXT, items)
    _, answer = scene.sign(0)
    return [*_crossing(items, request, answer), *_signing(scene, [item.unsigned for item in items], say)]


def _policy(scene: Scene) -> str:
    places = ", ".join(f'"{one}"' for one in card_addresses(scene.card, LANES))
    return POLICY.format(carol=scene.carol, station=scene.station, places=places)


def _items(card: WalletCard) -> list[Item]:
    lots = random.Random(500)
    keys, account = card_keys(card, LANES), card_addresses(card, 1)[0]
    native, block = NEAR.network(NETWORK).native, sha256(b"the final block").digest()
    items = []
    for number in range(PAYMENTS):
        turn, lane = divmod(number, LANES)
        terms = Terms(NETWORK, account, keys[lane], (HEIGHT - 9) * 10**6 + turn, block)
        amount = Amount(native, lots.randrange(10**24, 5_000 * 10**24, 10**20))
        unsigned = payment(terms, Destination(lots.randbytes(32).hex()), amount)
        path = NEAR.key_path(NETWORK, card.curve, card.account, lane)
        items.append(Item(unsigned, (path,), (TransferRef(order_id("bench"), number),)))
    return items


def _crossing(items: Sequence[Item], request: bytes, answer: bytes) -> list[Row]:
    request_bytes, answer_bytes = len(pack(request)) / PAYMENTS, len(pack(answer)) / PAYMENTS
    plain = len(zlib.compress(b"".join(item.unsigned for item in items), 9)) / PAYMENTS
    rows = [
        Row("near.request.bytes", request_bytes, "bytes/payment", "unsigned transactions in zlib", plain,
            "at most 60", request_bytes <= 60),
        Row("near.answer.bytes", answer_bytes, "bytes/payment"),
    ]
    for version in (20, 27):
        for way, sealed in (("request", request), ("answer", answer)):
            frames = film(sealed, Display(version)).needed
            rows.append(Row(f"near.{way}.frames.v{version}", frames, "frames"))
    return rows


def _signing(scene: Scene, blobs: Sequence[bytes], say: Callable[[str], None]) -> list[Row]:
    peer = _py_near(blobs)
    if peer is None:
        rate = PAYMENTS / scene.sign(1)[0]
        return [Row("near.signer.path", rate, "transactions/s", aim="at least 1500", met=rate >= 1_500)]
    rate, theirs, ratio = rates(scene, PAYMENTS, peer, say)
    return [
        Row("near.signer.path", rate, "transactions/s", "py-near's signing alone", theirs, "at least 1500",
            rate >= 1_500),
        Row("near.signer.over-py-near", ratio, "times", aim="at least 0.25", met=ratio >= 0.25),
    ]


def _py_near(blobs: Sequence[bytes]) -> Callable[[], float] | None:
    """Give the function that measures the calls of which py-near's signing is made, if its codec is installed."""
    try:
        library = importlib.import_module("py_near_primitives")
    except ImportError:
        return None
    pen = SigningKey.generate()
    secret = bytes(pen) + bytes(pen.verify_key)
    wanted = [read_transaction(blob) for blob in blobs]

    def rate() -> float:
        begun = time.perf_counter()
        for one in wanted:
            (action,) = one.actions
            assert isinstance(action, Transfer)
            key = SigningKey(secret[:32])
            transaction = library.Transaction(
                one.signer, bytes(key.verify_key), one.nonce, one.receiver, one.block_hash,
                [library.TransferAction(action.deposit)],
            )  # fmt: skip
            base64.b64encode(bytes(bytearray(transaction.to_vec(secret)))).decode()
        return len(wanted) / (time.perf_counter() - begun)

    return rate
