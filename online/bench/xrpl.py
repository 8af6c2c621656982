"""The bench's XRPL part: 500 payments to fresh destinations from two accounts with 250 tickets each."""

from __future__ import annotations

import random
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from online.bench.rows import Row
from online.bench.scene import Scene, rates
from shared.chains.xrpl import XRPL
from shared.chains.xrpl.addresses import encode_address
from shared.chains.xrpl.build import Terms, build_payment
from shared.effects import Destination
from shared.envelope import Item, TransferRef, WalletCard, card_addresses, card_keys, open_answer, order_id
from shared.money import Amount
from shared.transport.message import film
from shared.transport.pack import pack
from shared.transport.qr import Display

NETWORK: Final = "xrpl:local"
PAYMENTS: Final = 500
HEIGHT: Final = 95_000_000

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
network = "xrpl:local"
tier = "cold"
places = ["{first}", "{second}"]

[[rule]]
wallet = "cold"
kinds = ["payment"]
fee_most = "0.001"
transactions_without_payment = 0
expiry_most = 30000
approvals = 1
limits.XRP = {{ transfer = "100000", request = "50000000", day = "50000000", epoch = "50000000" }}
any_limits.XRP = {{ transfer = "100000", request = "50000000", day = "50000000", epoch = "50000000" }}
"""


def measure(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Measure the crossing of 500 payments, and the signer beside xrpl-py."""
    scene = Scene(folder, NETWORK, 2, _policy)
    items = _items(scene.card)
    request = scene.request({"height": HEIGHT}, items)
    _, answer = scene.sign(0)
    return [*_crossing(items, request, answer), *_signing(scene, [item.unsigned for item in items], say)]


def _policy(scene: Scene) -> str:
    first, second = card_addresses(scene.card, 2)
    return POLICY.format(carol=scene.carol, station=scene.station, first=first, second=second)


def _items(card: WalletCard) -> list[Item]:
    lots = random.Random(500)
    keys, addresses = card_keys(card, 2), card_addresses(card, 2)
    native = XRPL.network(NETWORK).native
    items = []
    for number in range(PAYMENTS):
        account, ticket = divmod(number, PAYMENTS // 2)
        terms = Terms(NETWORK, addresses[account], keys[account], 12, HEIGHT + 256, ticket=90_000_000 + ticket)
        amount = Amount(native, lots.randrange(1_000_000, 5_000_000_000))
        unsigned = build_payment(terms, Destination(encode_address(lots.randbytes(20))), amount)
        path = XRPL.key_path(NETWORK, card.curve, card.account, account)
        items.append(Item(unsigned, (path,), (TransferRef(order_id("bench"), number),)))
    return items


def _crossing(items: Sequence[Item], request: bytes, answer: bytes) -> list[Row]:
    request_bytes, answer_bytes = len(pack(request)) / PAYMENTS, len(pack(answer)) / PAYMENTS
    plain = len(zlib.compress(b"".join(item.unsigned for item in items), 9)) / PAYMENTS
    plain_back = len(zlib.compress(b"".join(_signed(items, answer)), 9)) / PAYMENTS
    rows = [
        Row("gap.request.bytes", request_bytes, "bytes/payment", "unsigned blobs in zlib", plain, "at most 40",
            request_bytes <= 40),
        Row("gap.answer.bytes", answer_bytes, "bytes/payment", "signed blobs in zlib", plain_back, "at most 66",
            answer_bytes <= 66),
    ]
    for version in (20, 27):
        for way, sealed in (("request", request), ("answer", answer)):
            frames = film(sealed, Display(version)).needed
            rows.append(Row(f"gap.{way}.frames.v{version}", frames, "frames"))
    return [*rows, _drawing(answer)]


def _drawing(answer: bytes) -> Row:
    reel, count = film(answer, Display(20)), 40
    begun = time.perf_counter()
    for index in range(count):
        reel.symbol(index)
    rate = count / (time.perf_counter() - begun)
    return Row("gap.draw.v20", rate, "frames/s", aim="at least 15", met=rate >= 15)


def _signing(scene: Scene, blobs: Sequence[bytes], say: Callable[[str], None]) -> list[Row]:
    rate, peer, ratio = rates(scene, PAYMENTS, lambda: _xrpl_py_rate(blobs), say)
    return [
        Row("xrpl.signer.path", rate, "transactions/s", "xrpl-py sign alone", peer, "at least 1500", rate >= 1_500),
        Row("xrpl.signer.over-xrpl-py", ratio, "times", aim="at least 20", met=ratio >= 20),
    ]


def _xrpl_py_rate(blobs: Sequence[bytes], count: int = 100) -> float:
    """Sign some of the same payments with xrpl-py, with a key of its own on the same curve."""
    from xrpl.constants import CryptoAlgorithm
    from xrpl.core.binarycodec import decode
    from xrpl.models.transactions.transaction import Transaction
    from xrpl.transaction import sign
    from xrpl.wallet import Wallet

    wallet = Wallet.create(algorithm=CryptoAlgorithm.SECP256K1)
    fields = [decode(blob.hex()) for blob in blobs[:count]]
    for one in fields:
        del one["SigningPubKey"]
    transactions = [Transaction.from_xrpl(one) for one in fields]
    begun = time.perf_counter()
    for transaction in transactions:
        sign(transaction, wallet)
    return count / (time.perf_counter() - begun)


def _signed(items: Sequence[Item], answer: bytes) -> list[bytes]:
    opened, _ = open_answer(answer)
    blobs = []
    for item, signature in zip(items, opened.signatures, strict=True):
        tx = XRPL.decode(item.unsigned, {"height": HEIGHT}, item.keys, NETWORK)
        blobs.append(XRPL.assemble(tx, [signature]).blob)
    return blobs
