"""Corrects the books by two people's word: one entry that ends one difference which a look just found, and no other.

The entry moves a wallet by what the books lack of the ledger, against an account of the house or of suspense, or it is
an earlier entry the other way round. Nothing is edited, and what is owed never comes to the wrong side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, insert, select

from online.chains.api import Gateway
from online.customers.cover import Cover
from online.ledger import accounts, postings
from online.ledger.accounts import OWED
from online.ledger.accounts import Kind as Account
from online.ledger.differences import CORRECTABLE, Finding, Kind
from online.ledger.facts import entries_of
from online.ledger.postings import Posting
from online.ledger.reconcile import Report, reconcile
from online.store import journal, tables
from online.store.assets import finder
from online.store.database import Store, Tx
from online.store.people import known
from shared.encoding import Value, encode
from shared.errors import BadCorrection, LedgerUnread, NoSuchDifference, SamePerson
from shared.policy import Person
from shared.sealed import Sign, seal

KIND: Final = "books-correction/1"
AGAINST: Final = (Account.OWN, Account.SUSPENSE, Account.FEES)
"""The accounts that a wallet is corrected against."""

Signer = tuple[Person, Sign]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which difference is to end, and how: against an account of a kind, or by an earlier entry the other way round.

    `transaction` is its id; of an entry without one, that entry's number, which is the one that is reversed. Wallet
    and asset need be named only where a transaction differs in several.
    """

    network: str
    kind: Kind
    transaction: str
    against: Account | None = None
    reverses: int | None = None
    wallet: str = ""
    asset: str = ""


@dataclass(frozen=True, slots=True)
class Correction:
    """What was written: the entry's number, and its lines."""

    entry: int
    lines: tuple[Posting, ...]


def correct(
    store: Store, gateway: Gateway, wanted: Wanted, first: Signer, second: Signer, now: int
) -> Correction:
    """Post the entry that ends a difference, by the signatures of two people.

    Raises:
        NoSuchDifference: if a look at the ledger does not find it. LedgerUnread: if the ledger was not read whole.
        BadCorrection: where the entry would not end it, or deposits are not read so far yet. NotCovered: where it would
            take more than is owed. SamePerson: if one signs twice. UnknownPerson.
    """
    if first[0].key == second[0].key:
        raise SamePerson(f"{first[0].name} alone can not correct the books")
    if wanted.kind not in CORRECTABLE:
        raise BadCorrection(f"{wanted.kind} is nothing that an entry corrects")
    report = reconcile(store, {wanted.network: gateway})
    if wanted.network in report.failed:
        raise LedgerUnread(f"{wanted.network}: {report.failed[wanted.network]}")
    found = _found(report, wanted)
    with store.transaction() as tx:
        for person, _ in (first, second):
            known(tx.sql, person)
        _require_unmoved(tx, report, wanted)
        lines = _lines(tx.sql, found, wanted)
        owed = [line for line in lines if accounts.kind_of(line.account) in OWED]
        Cover(tx.sql, [line.account for line in owed]).take(owed)
        return _write(tx, wanted, found[0].height or 0, lines, (first, second), now)


def said(network: str, kind: str, tx_id: str, height: int, reverses: int | None, lines: Sequence[Posting]) -> bytes:
    """Give the words that both people sign."""
    told: list[Value] = [[line.account, line.asset.code, str(line.units)] for line in lines]
    return encode(
        {"network": network, "kind": kind, "tx": tx_id, "height": height, "reverses": reverses, "lines": told}
    )


def lines_of(connection: Connection, entry: int) -> tuple[Posting, ...]:
    """Give the lines of an entry."""
    table, asset = tables.lines, finder(connection)
    rows = connection.execute(select(table).where(table.c.entry == entry).order_by(table.c.position)).all()
    return tuple(Posting(row.account, asset(row.asset_network, row.asset_code), int(row.units)) for row in rows)


def _found(report: Report, wanted: Wanted) -> list[Finding]:
    """Give the differences that are meant, each in a wallet and asset of its own. Raises NoSuchDifference."""
    stray = wanted.kind is Kind.ENTRY_WITHOUT_TRANSACTION
    found = [one for one in report.findings
             if one.kind is wanted.kind and (one.source == f"entry {wanted.transaction}" if stray
                                             else one.tx_id == wanted.transaction)
             and wanted.wallet in ("", one.wallet) and wanted.asset in ("", one.asset.code)]  # fmt: skip
    if not found:
        raise NoSuchDifference(f"no {wanted.kind} of {wanted.transaction[:64]} was found on {wanted.network}")
    return found


def _require_unmoved(tx: Tx, report: Report, wanted: Wanted) -> None:
    """Demand that nothing was booked of the transaction since the look, and that deposits were read so far."""
    seen = report.stands[wanted.network].entry
    if any(entry > seen for entry in entries_of(tx.sql, wanted.network, {wanted.transaction})):
        raise NoSuchDifference(f"{wanted.transaction[:64]} was booked while the ledger was looked at")
    if wanted.kind is Kind.MISSING_DEPOSIT:
        table, height = tables.cursors.c, max(one.height or 0 for one in _found(report, wanted))
        read = tx.sql.execute(select(table.height).where(table.network == wanted.network)).scalar()
        if read is None or read < height:
            raise BadCorrection("deposits are not read so far yet", hint="Run `lockgate run` first.")


def _lines(connection: Connection, found: Sequence[Finding], wanted: Wanted) -> tuple[Posting, ...]:
    """Give the lines that end the difference. Raises BadCorrection."""
    if wanted.kind is Kind.ENTRY_WITHOUT_TRANSACTION:
        reverses = int(wanted.transaction)
    elif (wanted.against is None) == (wanted.reverses is None):
        raise BadCorrection("say either against which account, or which entry is reversed")
    elif wanted.against is not None:
        return _against(found, wanted.against)
    else:
        reverses = wanted.reverses or 0
    posted = select(tables.entries.c.status).where(tables.entries.c.id == reverses)
    if connection.execute(posted).scalar() != "posted":
        raise BadCorrection(f"there is no posted entry {reverses}")
    lines = tuple(Posting(line.account, line.asset, -line.units) for line in lines_of(connection, reverses))
    moved: Counter[tuple[str, Any]] = Counter()
    for line in lines:
        if accounts.kind_of(line.account) is Account.WALLET:
            moved[line.account.partition(":")[2], line.asset] += line.units
    lacks = {(one.wallet, one.asset): one.lacks[0] for one in found}
    if {place: units for place, units in moved.items() if units} != lacks:
        raise BadCorrection(f"entry {reverses} the other way round does not make the books say what the ledger says")
    return lines


def _against(found: Sequence[Finding], kind: Account) -> tuple[Posting, ...]:
    if len(found) != 1:
        hint = "Name one of them: --wallet and --asset."
        raise BadCorrection(f"{len(found)} wallets or assets differ by this transaction", hint=hint)
    (one,) = found
    (units, fee), wallet = one.lacks, accounts.wallet(one.wallet)
    fees, other = (accounts.of_network(each, one.asset.network) for each in (Account.FEES, kind))
    # The fee follows the wallet's line that pays it, as everywhere in the books.
    pairs = ((-fee, fees, fee), (units + fee, other, -units - fee))
    return tuple(
        line for paid, account, taken in pairs if paid
        for line in (Posting(wallet, one.asset, paid), Posting(account, one.asset, taken))
    )  # fmt: skip


def _write(
    tx: Tx, wanted: Wanted, height: int, lines: tuple[Posting, ...], signers: Sequence[Signer], now: int
) -> Correction:
    stray = wanted.kind is Kind.ENTRY_WITHOUT_TRANSACTION
    reverses = int(wanted.transaction) if stray else wanted.reverses
    body = said(wanted.network, wanted.kind, wanted.transaction, height, reverses, lines)
    word = seal(KIND, body, [(person.key, sign) for person, sign in signers])
    memo = f"correction: {wanted.kind} {wanted.transaction}"
    entry = postings.post(tx, memo, "posted", lines, None, now)
    row = {"entry": entry, "network": wanted.network, "kind": wanted.kind.value, "tx_id": wanted.transaction,
           "height": height, "reverses": reverses, "sealed": word}  # fmt: skip
    tx.sql.execute(insert(tables.corrections).values(row))
    told: Mapping[str, Value] = {"word": word, "posted": postings.sworn(tx.sql, entry)}
    journal.append(tx, "books-corrected", told, now)
    return Correction(entry, lines)
