"""`lockgate bench`: what a crossing costs and how fast the signer is, each beside a peer in the same run.

500 payments to fresh destinations from two accounts with 250 tickets each go through the real signer process.
Machines are shared and noisy: the ratios are worth more than the figures.
"""

from __future__ import annotations

import json
import random
import shutil
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nacl.signing import SigningKey

from online.demo.signer_process import SignerProcess
from shared.chains.xrpl import XRPL
from shared.chains.xrpl.addresses import encode_address
from shared.chains.xrpl.build import Terms, build_payment
from shared.effects import Destination
from shared.envelope import (
    NOTHING_SEEN,
    Item,
    Lot,
    SigningRequest,
    TransferRef,
    WalletCard,
    card_addresses,
    card_keys,
    open_answer,
    open_card,
    order_id,
    seal_request,
)
from shared.money import Amount
from shared.people import parse_person, person_line
from shared.policy import Person
from shared.transport.media import read_file, write_file
from shared.transport.message import film
from shared.transport.pack import pack
from shared.transport.qr import Display

NETWORK: Final = "xrpl:local"
PAYMENTS: Final = 500
ROUNDS: Final = 5
PASSPHRASE: Final = "the bench guards nothing"  # noqa: S105 - its keys are worth nothing
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


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement. The ratio is the value over the peer's; `met` says whether an aim was reached."""

    name: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    aim: str | None = None
    met: bool | None = None

    def as_json(self) -> dict[str, Any]:
        """Give the row as an object."""
        ratio = None if not self.peer_value else round(self.value / self.peer_value, 2)
        peer_value = None if self.peer_value is None else round(self.peer_value, 2)
        return {"name": self.name, "value": round(self.value, 2), "unit": self.unit, "peer": self.peer,
                "peer_value": peer_value, "ratio": ratio, "aim": self.aim, "met": self.met}


def run(say: Callable[[str], None] = lambda _: None) -> list[dict[str, Any]]:
    """Measure everything and give the rows."""
    with tempfile.TemporaryDirectory(prefix="lockgate-bench-") as folder:
        say("setting up a signer")
        scene = _Scene(Path(folder))
        rows = _crossing(scene) + _signing(scene, say)
    return [row.as_json() for row in rows]


class _Scene:
    """A signer with a policy, two funded accounts in mind, and the request of 500 payments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.box = SignerProcess(folder / "box")
        self.station = SigningKey.generate()
        self.approver = folder / "carol.key"
        carol = ("person", "new", "carol", "--out", self.approver, "--network-class", "test", "--kdf", "light")
        self.carol = self.box.run(*carol, lines=(PASSPHRASE, PASSPHRASE)).strip()
        self.signer = parse_person(self.box.make([self.carol], 1, PASSPHRASE)).key
        self.card = self._card()
        self._policy()
        self.items, self.blobs = _items(self.card)
        self.request = self._request()
        write_file(folder / "request", self.request)

    def _card(self) -> WalletCard:
        card = self.folder / "card"
        options = ("--network", NETWORK, "--tier", "cold", "--count", "2", "--out", card)
        self.box.run("card", "cold", *options, lines=(PASSPHRASE,))
        return open_card(read_file(card))[0]

    def _policy(self) -> None:
        first, second = card_addresses(self.card, 2)
        station = person_line(Person("bench", self.station.verify_key.encode()))
        text, sealed = self.folder / "policy.toml", self.folder / "policy.sealed"
        write_file(text, POLICY.format(carol=self.carol, station=station, first=first, second=second).encode())
        self.box.run("policy", "draft", text, "--as", self.approver, "--out", sealed, lines=(PASSPHRASE,))
        self.box.run("policy", "install", sealed, lines=(PASSPHRASE,))

    def _request(self) -> bytes:
        lot = Lot(NETWORK, {"height": HEIGHT}, tuple(self.items))
        public = self.station.verify_key.encode()
        request = SigningRequest(public, self.signer, int(time.time()), NOTHING_SEEN, (lot,))
        return seal_request(request, lambda message: self.station.sign(message).signature)

    def sign(self, number: int) -> tuple[float, bytes]:
        """Sign the request with a fresh copy of the box; give the seconds of its whole path, and the answer."""
        copy = SignerProcess(self.folder / f"box-{number}")
        shutil.copytree(self.box.folder, copy.folder)
        out = self.folder / f"answer-{number}"
        options = ("--as", self.approver, "--yes", "--json", "--out", out)
        printed = copy.run("sign", self.folder / "request", *options, lines=(PASSPHRASE, PASSPHRASE))
        return json.loads(printed)["microseconds"] / 1_000_000, read_file(out)


def _items(card: WalletCard) -> tuple[list[Item], list[bytes]]:
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
    return items, [item.unsigned for item in items]


def _crossing(scene: _Scene) -> list[Row]:
    _, answer = scene.sign(0)
    signed = _signed(scene, answer)
    request_bytes, answer_bytes = len(pack(scene.request)) / PAYMENTS, len(pack(answer)) / PAYMENTS
    plain = len(zlib.compress(b"".join(scene.blobs), 9)) / PAYMENTS
    plain_back = len(zlib.compress(b"".join(signed), 9)) / PAYMENTS
    rows = [
        Row("gap.request.bytes", request_bytes, "bytes/payment", "unsigned blobs in zlib", plain, "at most 40",
            request_bytes <= 40),
        Row("gap.answer.bytes", answer_bytes, "bytes/payment", "signed blobs in zlib", plain_back, "at most 66",
            answer_bytes <= 66),
    ]
    for version in (20, 27):
        for way, sealed in (("request", scene.request), ("answer", answer)):
            frames = film(sealed, Display(version)).needed
            rows.append(Row(f"gap.{way}.frames.v{version}", frames, "frames"))
    return rows + _drawing(answer)


def _drawing(answer: bytes) -> list[Row]:
    reel, count = film(answer, Display(20)), 40
    begun = time.perf_counter()
    for index in range(count):
        reel.symbol(index)
    rate = count / (time.perf_counter() - begun)
    return [Row("gap.draw.v20", rate, "frames/s", aim="at least 15", met=rate >= 15)]


def _signing(scene: _Scene, say: Callable[[str], None]) -> list[Row]:
    ours, theirs = [], []
    for number in range(1, ROUNDS + 1):
        say(f"round {number} of {ROUNDS}")
        ours.append(PAYMENTS / scene.sign(number)[0])
        theirs.append(_xrpl_py_rate(scene.blobs))
    rate, peer = statistics.median(ours), statistics.median(theirs)
    ratio = statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
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


def _signed(scene: _Scene, answer: bytes) -> list[bytes]:
    opened, _ = open_answer(answer)
    blobs = []
    for item, signature in zip(scene.items, opened.signatures, strict=True):
        tx = XRPL.decode(item.unsigned, {"height": HEIGHT}, item.keys, NETWORK)
        blobs.append(XRPL.assemble(tx, [signature]).blob)
    return blobs
