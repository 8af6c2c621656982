"""What only the administrators' quorum can say: a transaction is dead, the time is right, the journal is lost.

A release is drafted on the signer that it is for, signed by administrators anywhere, and applied once. The journal
keeps the signed document with its evidence.
"""

from __future__ import annotations

from typing import Final

from offline_signer import journal_file
from offline_signer.box import Box
from offline_signer.vault import marked
from shared.encoding import Fields, Value, decode, encode
from shared.errors import BadRelease, JournalMissing, Refusal
from shared.people import person_line
from shared.policy import Person
from shared.review import printable
from shared.sealed import Sign, add_signature, open_sealed, require_quorum, seal

RELEASE: Final = "release/1"
MOST_EVIDENCE: Final = 2_000


def draft_transfer(station: bytes, transfer: bytes, transactions: list[bytes], evidence: str) -> dict[str, Value]:
    """Say that transactions (SHA-256 of their unsigned bytes) for a transfer (16 bytes) can never happen any more."""
    return {"what": "transfer", "station": station, "transfer": transfer, "transactions": sorted(transactions),
            "evidence": evidence}


def draft_clock(station: bytes, last_time: int, until: int, evidence: str) -> dict[str, Value]:
    """Say that the clock is right although it jumped: from the journal's last time up to `until` (Unix seconds)."""
    return {"what": "clock", "station": station, "after": last_time, "until": until, "evidence": evidence}


def draft_loss(station: bytes, epoch: int, evidence: str) -> dict[str, Value]:
    """Say that the journal of a station key is lost; `epoch` is the newest policy's, below which none may come back."""
    return {"what": "journal-lost", "station": station, "epoch": epoch, "evidence": evidence}


def seal_release(body: dict[str, Value], key: bytes, sign: Sign) -> bytes:
    """Begin a release with a first administrator's signature."""
    return seal(RELEASE, encode(body), [(key, sign)])


def sign_release(sealed: bytes, key: bytes, sign: Sign) -> bytes:
    """Add an administrator's signature."""
    return add_signature(sealed, RELEASE, key, sign)


def describe(sealed: bytes) -> list[str]:
    """Say in lines what a release would do, for the person who is to sign it."""
    value = decode(open_sealed(sealed, RELEASE).body)
    fields = Fields(value, "release")
    what, evidence = fields.text("what"), fields.text("evidence", most=MOST_EVIDENCE)
    lines = [f"release: {what}", f"for the signer {fields.bytes('station', exactly=32).hex()[:16]}"]
    if what == "transfer":
        lines.append(f"transfer {fields.bytes('transfer', exactly=16).hex()} may be signed anew; these are dead:")
        lines += [f"  {one.hex()}" for one in _digests(fields)]
    elif what == "clock":
        lines.append(f"the time between {fields.number('after')} and {fields.number('until')} (Unix seconds) is right")
    else:
        lines.append(f"a new journal and station key begin; policies up to epoch {fields.number('epoch')} stay void")
    fields.close()  # nothing is signed that is not shown
    return [printable(line) for line in [*lines, f"evidence: {evidence}"]]


def names_of(sealed: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """Give whom a release is about and who signed it: the signer's station key and the people's keys."""
    opened = open_sealed(sealed, RELEASE)
    return Fields(decode(opened.body), "release").bytes("station", exactly=32), opened.signers


def apply(box: Box, sealed: bytes) -> str:
    """Apply a release that a quorum of the administrators signed, and say what it did.

    Raises:
        QuorumMissing, StrangeSigner: if too few signed, or somebody else did.
        BadRelease: if it is another signer's, was used already, or does not fit the journal.
        JournalMissing: on a restored box, where only the loss of the journal can be said.
    """
    people, quorum = box.administrators()
    opened = require_quorum(open_sealed(sealed, RELEASE), [person.key for person in people], quorum)
    fields = Fields(decode(opened.body), "release")
    what = fields.choice("what", ("transfer", "clock", "journal-lost"))
    evidence = fields.text("evidence", least=1, most=MOST_EVIDENCE)
    if fields.bytes("station", exactly=32) != box.vault.station:
        raise BadRelease("the release is for another signer, or for a journal that is lost")
    if what != "journal-lost" and box.vault.header.state == "restored":
        raise JournalMissing("this box was restored and has not taken over its journal")
    act = {"transfer": _transfer, "clock": _clock, "journal-lost": _loss}[what]
    return act(box, fields, {"what": what, "sealed": sealed, "evidence": evidence})


def _transfer(box: Box, fields: Fields, body: dict[str, Value]) -> str:
    transfer, dead = fields.bytes("transfer", exactly=16), _digests(fields)
    fields.close()
    carried = box.history.transfers.get(transfer)
    live = {record.name[1] for record in carried.live} if carried else set()
    if not set(dead) <= live:
        raise BadRelease("it names a transaction that is not live for this transfer")
    box.write("release", {**body, "transfer": transfer, "transactions": list[Value](dead)})
    return f"transfer {transfer.hex()[:12]}: {len(dead)} released"


def _digests(fields: Fields) -> list[bytes]:
    listed = fields.list("transactions", least=1, most=100)
    found = [one for one in listed if isinstance(one, bytes) and len(one) == 32]
    if len(found) < len(listed):
        raise BadRelease("a transaction is named by the SHA-256 of its unsigned bytes")
    return found


def _clock(box: Box, fields: Fields, body: dict[str, Value]) -> str:
    after, until = fields.number("after"), fields.number("until", 0, 2**40)
    fields.close()
    if after != box.history.last_time:
        raise BadRelease("it was drafted before the journal's last entry")
    now = max(box.clock(), after)
    if now > until:
        raise BadRelease("the clock is later than the time that the administrators confirmed")
    box.write("release", {**body, "until": until}, time=now)
    return "the time is confirmed"


def _loss(box: Box, fields: Fields, body: dict[str, Value]) -> str:
    epoch = fields.number("epoch")
    fields.close()
    if box.vault.header.state != "restored" or box.journal.tip.size:
        raise BadRelease("only a restored box without a journal can begin a new one")
    header = box.vault.header
    box.vault.change(marked(header, generation=header.generation + 1, state="ready", epoch=epoch, floor=epoch))
    try:
        box.journal = journal_file.open_for_appending(box.folder, box.vault.station)
        box.write("release", {**body, "epoch": epoch})
    except Refusal:  # no room, or no disk: nothing has begun, and the release can be applied again
        box.vault.change(header)
        raise
    begun = "a new journal begins under a new station key; pair this signer again and sweep its wallets"
    return f"{begun}\n{person_line(Person('signer', box.vault.station))}"
