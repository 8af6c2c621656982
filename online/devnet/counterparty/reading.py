"""Reads one transaction into the books: first what it moves by spending outputs, then what its message does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from online.devnet.bitcoin.scripts import address_of
from online.devnet.bitcoin.wire import Tx, TxOut
from online.devnet.counterparty import extraction, messages, rules
from online.devnet.counterparty.books import Books, Place
from online.devnet.counterparty.packing import Unreadable

MEMPOOL_BLOCK = 9_999_999


@dataclass(frozen=True, slots=True)
class Read:
    """A transaction with all that it spends; `commit_spent` is what its commit's first input spent, if known."""

    tx: Tx
    spent: Sequence[TxOut]
    commit_spent: TxOut | None = None


def read_into(books: Books, place: Place, given: Read, *, new_table: bool) -> str | None:
    """Do to the books what a node does; give the message's status, None where there is no message."""
    moved = [each.outpoint for each in given.tx.inputs if str(each.outpoint) in books.owners]
    try:
        found = extraction.find(given.tx, given.spent, given.commit_spent)
    except Unreadable:
        found = None
    if found is None and not moved:
        return None
    place = Place(place.block_index, place.block_time, place.block_hash, len(books.transactions),
                  given.tx.txid)
    _open(books, place, given, found)
    for outpoint in moved:
        _move_attached(books, place, str(outpoint), given.tx)
    status = None if found is None else _obey(books, place, found, new_table=new_table)
    books.transactions[-1]["status"] = status
    books.event(place, "TRANSACTION_PARSED", supported=True, tx_hash=place.tx_hash, tx_index=place.tx_index)
    return status


def _open(books: Books, place: Place, given: Read, found: extraction.Found | None) -> None:
    fee = sum(out.sats for out in given.spent) - sum(out.sats for out in given.tx.outputs)
    first = found.destinations[0] if found is not None and found.destinations else None
    row = {
        "tx_index": place.tx_index, "tx_hash": place.tx_hash, "block_index": place.block_index,
        "block_hash": place.block_hash, "block_time": place.block_time,
        "source": found.source if found else address_of(given.spent[0].script),
        "destination": address_of(first.script) if first else None,
        "btc_amount": first.sats if first else 0, "fee": fee, "data": found.message.hex() if found else None}
    books.transactions.append(dict(row))
    books.event(place, "NEW_TRANSACTION", **row)


def _obey(books: Books, place: Place, found: extraction.Found, *, new_table: bool) -> str:
    try:
        message = messages.read(found.message, new_table=new_table)
        kind, _ = messages.split(found.message)
    except Unreadable as fault:
        return f"invalid: could not unpack ({fault})"
    if message is None:
        return f"not modelled: type {kind}"
    said = rules.Said(found.source, message, found.destinations, enhanced=kind == messages.ENHANCED)
    return rules.apply(books, place, said)


def _move_attached(books: Books, place: Place, outpoint: str, tx: Tx) -> None:
    """Move what an output holds to the first output that is not OP_RETURN; where there is none it is lost."""
    target = next((n for n, out in enumerate(tx.outputs) if out.script[:1] != b"\x6a"), None)
    for asset, quantity in books.holdings(outpoint).items():
        books.debit(place, outpoint, asset, quantity, "utxo move")
        if target is None:
            continue
        goal = f"{tx.txid}:{target}"
        owner = address_of(tx.outputs[target].script) or ""
        books.owners[goal] = owner
        books.credit(place, goal, asset, quantity, "utxo move")
        books.send(place, "UTXO_MOVE", source=outpoint, destination=goal, asset=asset, quantity=quantity,
                   send_type="move", source_address=books.owners[outpoint], destination_address=owner)
    del books.owners[outpoint]
