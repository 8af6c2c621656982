"""Holds withdrawals against the station's signed journal before they are paid: their rows are nobody's word.

The journal is read from where an open withdrawal was accepted to its end, and on from there at the next turn. So a row
is believed only if its own line names it, and no later line says that it stands elsewhere: not one that was invented or
redirected, nor one that points at another's line, nor one that was put back to where it was before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from sqlalchemy import Connection, select

from online.jobs.states import ENDS
from online.jobs.states import State as JobState
from online.store import journal, tables
from online.store.database import Store
from online.store.followed import Followed, Standing
from online.store.people import known_keys
from online.withdrawals.model import ACCEPTED, MOVED, Withdrawal, asked_for
from online.withdrawals.states import MOVES, State
from shared.encoding import Value, encode
from shared.errors import Refusal, WithdrawalUnproven
from shared.journal import Entry, read_on
from shared.policy import Person
from shared.sealed import Sign, open_sealed, seal

RELEASE: Final = "release-withdrawal/1"
_AT_ONCE: Final = 1_000
_ENDS: Final = frozenset(state.value for state, onward in MOVES.items() if not onward)
_OVER: Final = frozenset(state.value for state in ENDS) - {JobState.WITHDRAWN.value}
"""Ends of what left: it is never withdrawn, so that a line which says so is the doing of a changed row."""


class Sworn:
    """What the journal says, within a transaction, of some withdrawals and of all that were accepted after them."""

    def __init__(self, connection: Connection, key: bytes, some: Collection[Withdrawal], before: Followed) -> None:
        """Read on from what was followed before. Raises JournalDamaged: also where that is not there any more."""
        self._connection = connection
        self.followed = _follow(connection, key, some, before)

    def require_payable(self, one: Withdrawal) -> None:
        """Demand what `require` does, and if it ever was held the word of a person that it may go.

        Raises:
            WithdrawalUnproven: if it is not so.
        """
        self.require(one)
        standing = self.followed.open[one.id]
        if standing.held:
            require_released(self._connection, standing.word, {**standing.asked, "line": standing.line})

    def require(self, one: Withdrawal) -> None:
        """Demand that the journal says of a withdrawal what its row says. Raises WithdrawalUnproven."""
        standing = self.followed.open.get(one.id)
        if standing is None or one.line != standing.line:
            raise WithdrawalUnproven("no line of the journal accepted what this row says, or it has ended since")
        if standing.asked != asked_for(one):
            raise WithdrawalUnproven("the journal says another customer, wallet, amount or destination")
        if (standing.state, standing.transfer) != (one.state.value, one.transfer):
            stands = f"is {standing.state}" if standing.state else "stands in two ways"
            raise WithdrawalUnproven(f"the journal says that it {stands}")


def remember(store: Store, connection: Connection, some: Collection[Withdrawal]) -> None:
    """Read on in a transaction that only reads, and keep how far: what writes then has little left to read.

    Raises:
        JournalDamaged: as `Sworn`.
    """
    if store.station is not None:
        store.memory.followed = Sworn(connection, store.station.public_key, some, store.memory.followed).followed


def release_word(one: Withdrawal, person: Person, sign: Sign) -> bytes:
    """Give a person's sealed word that a withdrawal, exactly as it was accepted, may be paid."""
    return seal(RELEASE, encode({**asked_for(one), "line": one.line}), [(person.key, sign)])


def require_released(connection: Connection, word: Value, said: Mapping[str, Value]) -> None:
    """Demand that somebody whom the store knows signed that this is let go. Raises WithdrawalUnproven."""
    try:
        sealed = open_sealed(word if isinstance(word, bytes) else b"", RELEASE)
    except Refusal:
        raise WithdrawalUnproven("it was held, and nobody signed that it may go") from None
    if sealed.body != encode({**said}) or not known_keys(connection).issuperset(sealed.signers):
        raise WithdrawalUnproven("who signed that it may go is nobody known here, or signed something else")


def accepted_as(entry: Entry) -> dict[str, Value]:
    """Give what a withdrawal's first line says was asked for, and the line's number: what a release names."""
    return {**_asked(entry), "line": entry.number}


def _follow(connection: Connection, key: bytes, some: Collection[Withdrawal], before: Followed) -> Followed:
    tip = journal.tip(connection)
    lines = [one.line for one in some if one.line is not None and 0 <= one.line < tip.size]
    if not lines and not before.size:
        return before
    start = min(lines, default=before.start)
    goes_on = before.size > 0 and before.start <= start
    first = before.size - 1 if goes_on else start
    book = _Book(before if goes_on else Followed())
    table = tables.audit
    query = select(table.c.line).where(table.c.n >= first).order_by(table.c.n).execution_options(yield_per=_AT_ONCE)
    with connection.execute(query) as rows:
        for entry in read_on(rows.scalars(), key, first, (tip.size, tip.last_hash), (before.size, before.last_hash)):
            if entry.number > first or not goes_on:
                book.take(entry)
    start = before.start if goes_on else start
    return Followed(start, tip.size, tip.last_hash, book.open, frozenset(book.away))


class _Book:
    """What has not ended, followed line by line."""

    def __init__(self, before: Followed) -> None:
        self.open = dict(before.open)
        self.away = set(before.away)

    def take(self, entry: Entry) -> None:
        name, to = entry.body.get("withdrawal"), entry.body.get("to")
        if entry.kind == ACCEPTED and isinstance(name, str):
            there = self.open.get(name)
            self.open[name] = _accepted(entry) if there is None else replace(there, state="")
        elif entry.kind == MOVED and isinstance(name, str) and name in self.open:
            if to in _ENDS:
                del self.open[name]  # so that no later line about it counts
            else:
                # What left for a signer may be paid: no order for it is taken back, whatever the job's row says.
                left = entry.body.get("job") in self.away
                self.open[name] = replace(self.open[name], state="") if left else _moved(self.open[name], entry.body)
        elif entry.kind == "move" and isinstance(number := entry.body.get("job"), int):
            if to == JobState.EXPORTED:
                self.away.add(number)
            elif to in _OVER:
                self.away.discard(number)


def _asked(entry: Entry) -> dict[str, Value]:
    return {name: value for name, value in entry.body.items() if name not in ("state", "posted")}


def _accepted(entry: Entry) -> Standing:
    state = str(entry.body.get("state"))
    return Standing(entry.number, _asked(entry), state, held=state == State.HELD)


def _moved(there: Standing, body: Mapping[str, Value]) -> Standing:
    to, transfer, word = str(body.get("to")), body.get("transfer"), body.get("word")
    if body.get("from") != there.state:
        return replace(there, state="")
    ordered = transfer if isinstance(transfer, bytes) else None
    if to == State.HELD:
        return replace(there, state=to, transfer=ordered, held=True)
    if there.state == State.HELD:
        return replace(there, state=to, transfer=ordered, word=word if isinstance(word, bytes) else None)
    return replace(there, state=to, transfer=ordered)
