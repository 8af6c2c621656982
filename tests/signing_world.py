"""A small world around one signer for tests: people, a policy, a coordinator's station key, wallets and requests.

Everything is real but the passphrases: real vault and journal files, real Ed25519 signatures, real XRPL bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from nacl.signing import SigningKey

from offline_signer import ceremony, setup
from offline_signer.box import Box, opened
from offline_signer.ceremony import Examination
from shared.chains.xrpl import XRPL
from shared.chains.xrpl.build import Terms, build_payment, build_tickets
from shared.effects import Destination
from shared.envelope import (
    NOTHING_SEEN,
    Approval,
    Declined,
    Item,
    Lot,
    SeenLog,
    SigningRequest,
    TransferRef,
    card_keys,
    open_card,
    order_id,
    seal_approval,
    seal_request,
)
from shared.lockbox import LIGHT
from shared.money import Amount
from shared.people import person_line
from shared.policy import Person
from shared.policy_document import seal_policy, sign_policy
from shared.words import words_from_entropy

PASSPHRASE = "correct horse battery"
NETWORK = "xrpl:local"
XRP = XRPL.network(NETWORK).native
NOON = 1_800_000_000
STRANGER = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"

POLICY = """
epoch = {epoch}
network_class = "test"
clock_jump_seconds = {jump}
approvers = ["{carol}", "{dave}"]
stations = ["{station}"]
signing_keys = []

[administrators]
quorum = 2
people = ["{ann}", "{ben}"]

[[wallet]]
name = "cold"
network = "xrpl:local"
tier = "cold"
places = ["{cold}", "{cold2}"]

[[wallet]]
name = "hot"
network = "xrpl:local"
tier = "hot"
places = ["{hot}"]

[[rule]]
wallet = "cold"
kinds = {kinds}
to_wallets = ["hot"]
fee_most = "0.001"
transactions_without_payment = {free}
expiry_most = 30000
approvals = {approvals}
[rule.limits.XRP]
transfer = "{transfer}"
request = "{request}"
day = "{day}"
epoch = "{budget}"
{more}
"""

LIMITS = {"transfer": "100000", "request": "150000", "day": "200000", "budget": "500000", "free": 5, "approvals": 1,
          "jump": 259_200, "kinds": '["payment", "tickets"]', "epoch": 1, "more": ""}


@dataclass
class Somebody:
    """A person or station with a key in memory."""

    name: str
    key: SigningKey = field(default_factory=SigningKey.generate)

    @property
    def public(self) -> bytes:
        return self.key.verify_key.encode()

    @property
    def line(self) -> str:
        return person_line(Person(self.name, self.public))

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message).signature


@dataclass
class World:
    """One signer's folder with everybody around it."""

    folder: Path
    now: int = NOON
    people: dict[str, Somebody] = field(default_factory=dict)
    station: bytes = b""
    keys: tuple[bytes, ...] = ()
    addresses: tuple[str, ...] = ()
    hot: str = "rrrrrrrrrrrrrrrrrrrrBZbvji"
    limits: dict[str, object] = field(default_factory=lambda: dict(LIMITS))

    def __getattr__(self, name: str) -> Somebody:
        people: dict[str, Somebody] = self.__dict__.get("people", {})
        if name not in people:
            raise AttributeError(name)
        return people[name]

    def clock(self) -> int:
        return self.now

    @contextmanager
    def box(self) -> Iterator[Box]:
        with opened(self.folder, PASSPHRASE, self.clock) as box:
            yield box

    def policy_text(self, **changes: object) -> str:
        lines = {name: one.line for name, one in self.people.items()}
        places = {"cold": self.addresses[0], "cold2": self.addresses[1], "hot": self.hot}
        return POLICY.format(**{**self.limits, **lines, **places, **changes})

    def install(self, text: str) -> None:
        """Seal a policy's text with both administrators and install it."""
        sealed = seal_policy(text, self.ann.public, self.ann.sign)
        sealed = sign_policy(sealed, self.ben.public, self.ben.sign)
        with self.box() as box:
            setup.install_policy(box, sealed)

    def terms(self, *, sequence: int | None = None, ticket: int | None = None, fee: int = 10, last: int = 5_000,
              index: int = 0) -> Terms:
        return Terms(NETWORK, self.addresses[index], self.keys[index], fee, last, sequence=sequence, ticket=ticket)

    def payment(self, xrp: int, order: str = "order", *, line: int = 0, to: str = "", tag: int | None = None,
                sequence: int | None = None, ticket: int | None = None, fee: int = 10, last: int = 5_000,
                index: int = 0) -> Item:
        """Give an item that pays whole XRP from the cold wallet."""
        terms = self.terms(sequence=sequence, ticket=ticket, fee=fee, last=last, index=index)
        unsigned = build_payment(terms, Destination(to or self.hot, tag), Amount(XRP, xrp * 1_000_000))
        return Item(unsigned, (self.path(index),), (TransferRef(order_id(order), line),))

    def tickets(self, count: int, *, sequence: int, fee: int = 10) -> Item:
        return Item(build_tickets(self.terms(sequence=sequence, fee=fee), count), (self.path(0),), ())

    def path(self, index: int) -> tuple[int, ...]:
        return XRPL.key_path(NETWORK, "secp256k1", 0, index)

    def request(self, *items: Item, height: int = 1_000, seen: SeenLog = NOTHING_SEEN, station: Somebody | None = None,
                **changes: object) -> bytes:
        """Seal a request with the coordinator's station key."""
        sender = station or self.station_key
        lots = (Lot(NETWORK, {"height": height}, tuple(items)),)
        request = SigningRequest(sender.public, self.station, self.now, seen, lots)
        return seal_request(replace(request, **changes), sender.sign)  # type: ignore[arg-type]

    @property
    def station_key(self) -> Somebody:
        return self.people["station"]

    def approvals(self, examination: Examination, box: Box, people: Sequence[str] = ("carol",)) -> list[bytes]:
        approval = Approval(examination.digest, examination.declined, box.seen())
        return [seal_approval(approval, self.people[one].public, self.people[one].sign) for one in people]

    def examine(self, box: Box, sealed: bytes, declined: Sequence[Declined] = ()) -> Examination:
        return ceremony.examine(sealed, box.history, box.policy(), self.station, box.now(), declined)

    def sign(self, sealed: bytes, *, declined: Sequence[Declined] = (), people: Sequence[str] = ("carol",)) -> bytes:
        """Take a request through the whole signer and give the sealed answer."""
        with self.box() as box:
            examination = self.examine(box, sealed, declined)
            return ceremony.sign(box, examination, self.approvals(examination, box, people))


def make_world(folder: Path, *, limits: dict[str, object] | None = None, count: int = 2, now: int = NOON,
               text: Callable[[World], str] = lambda world: world.policy_text()) -> World:
    """Set up a signer with one cold wallet and a policy of epoch 1."""
    names = ("ann", "ben", "carol", "dave", "eve", "station")
    world = World(folder, now=now, people={name: Somebody(name) for name in names})
    world.limits.update(limits or {})
    world.station = setup.make(
        folder, words_from_entropy(os.urandom(32)), PASSPHRASE, network_class="test",
        administrators=[Person(name, world.people[name].public) for name in ("ann", "ben")], quorum=2, kdf=LIGHT,
        clock=world.clock,
    )
    with world.box() as box:
        sealed = setup.issue_card(box, "cold", network=NETWORK, tier="cold", curve="secp256k1", account=0, count=count)
        world.keys = card_keys(open_card(sealed)[0], count)
        world.addresses = box.history.wallets["cold"].addresses
    world.install(text(world))
    return world
