"""What a message does to the books, and when a node finds it invalid: the rules of a node of 11.5.

An MPMA is all or nothing. Statuses are the node's words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from online.devnet.bitcoin.scripts import address_of
from online.devnet.bitcoin.wire import TxOut
from online.devnet.counterparty.books import Books, Feed, Place
from online.devnet.counterparty.messages import Broadcast, Many, Message, Send, Sweep
from online.devnet.counterparty.mpma import Line

MOST_QUANTITY = 2**63 - 1
MOST_MEMO_BYTES = 34
SWEEP_UNIT = 100_000
NEEDS_MEMO = 1
_BALANCES, _OWNERSHIP, _ALL_FLAGS = 1, 2, 7


@dataclass(frozen=True, slots=True)
class Said:
    """A message with its speaker and the ordinary outputs before it."""

    source: str
    message: Message
    destinations: Sequence[TxOut] = ()
    enhanced: bool = True


def needs_memo(books: Books, address: str) -> bool:
    """Say whether an address takes no send without a memo."""
    return bool(books.options.get(address, (0, 0))[0] & NEEDS_MEMO)


def apply(books: Books, place: Place, said: Said) -> str:
    """Do what a message says; give its status."""
    message = said.message
    if isinstance(message, Send):
        return _send(books, place, said, message)
    if isinstance(message, Many):
        return _many(books, place, said.source, message.lines)
    if isinstance(message, Sweep):
        return _sweep(books, place, said.source, message)
    return _broadcast(books, place, said.source, message)


def status_of(problems: Sequence[str]) -> str:
    """Write a status as nodes do."""
    return "invalid: " + "; ".join(problems) if problems else "valid"


# --- sends --------------------------------------------------------------------------------------------


def send_problems(books: Books, source: str, send: Send) -> list[str]:
    """Say what is wrong with a send."""
    problems = []
    if send.asset == "BTC":
        problems.append("cannot send BTC")
    if send.quantity == 0:
        problems.append("zero quantity")
    if send.quantity > MOST_QUANTITY:
        problems.append("integer overflow")
    if not send.address:
        problems.append("destination is required")
    if len(send.memo) > MOST_MEMO_BYTES:
        problems.append("memo is too long")
    if send.address and needs_memo(books, send.address) and not send.memo:
        problems.append("destination requires memo")
    if not problems and books.balance(source, send.asset) < send.quantity:
        problems.append("insufficient funds")
    return problems


def _send(books: Books, place: Place, said: Said, send: Send) -> str:
    if send.address is None:
        # A classic send goes to the first ordinary output before the data.
        first = address_of(said.destinations[0].script) if said.destinations else None
        send = Send(send.asset, send.quantity, first)
    status = status_of(send_problems(books, said.source, send))
    if status == "valid" and send.address:
        books.debit(place, said.source, send.asset, send.quantity, "send")
        books.credit(place, send.address, send.asset, send.quantity, "send")
    books.send(place, "ENHANCED_SEND" if said.enhanced else "SEND", source=said.source,
               destination=send.address, asset=send.asset, quantity=send.quantity, status=status,
               memo=send.memo.hex() or None)
    return status


def many_problems(books: Books, source: str, lines: Sequence[Line]) -> list[str]:
    """Say what is wrong with the lines of an MPMA, taken together."""
    totals = Counter[str]()
    for line in lines:
        totals[line.asset] += line.quantity
    problems = [f"insufficient funds for asset {asset}, needs {total}" for asset, total in totals.items()
                if asset != "BTC" and books.balance(source, asset) < total]
    if len(lines) < 2:
        problems.append("send list cannot have only one element" if lines else "send list cannot be empty")
    if len({(line.asset, line.address) for line in lines}) < len(lines):
        problems.append("cannot specify more than once a destination per asset")
    for line in lines:
        problems += [text for wrong, text in (
            (line.asset == "BTC", f"cannot send BTC to {line.address}"),
            (line.quantity == 0, f"zero quantity for {line.asset} to {line.address}"),
            (line.quantity > MOST_QUANTITY, f"integer overflow for {line.asset} to {line.address}"),
            (needs_memo(books, line.address) and line.memo is None,
             f"destination {line.address} requires memo"),
        ) if wrong]
    return problems


def _many(books: Books, place: Place, source: str, lines: Sequence[Line]) -> str:
    status = status_of(many_problems(books, source, lines))
    if status != "valid":
        return status  # a node writes no row for a bad one
    totals = Counter[str]()
    for line in lines:
        totals[line.asset] += line.quantity
        books.credit(place, line.address, line.asset, line.quantity, "mpma send")
    for asset, total in totals.items():
        books.debit(place, source, asset, total, "mpma send")
    for index, line in enumerate(sorted(lines, key=lambda line: line.asset + line.address)):
        memo = None if line.memo is None else line.memo.content.hex()
        books.send(place, "MPMA_SEND", source=source, destination=line.address, asset=line.asset,
                   quantity=line.quantity, memo=memo, msg_index=index)
    return status


# --- sweeps -------------------------------------------------------------------------------------------


def issued_by(books: Books, address: str) -> list[str]:
    """Name the assets that an address owns."""
    return [asset.name for asset in books.assets.values() if asset.issuer == address]


def sweep_cost(books: Books, source: str, flags: int) -> int:
    """Give what a sweep costs, in XCP's base units; a flag that is not set costs nothing."""
    held = len(books.holdings(source)) if flags & _BALANCES else 0
    owned = len(issued_by(books, source)) if flags & _OWNERSHIP else 0
    return SWEEP_UNIT * (2 * held + 4 * owned)


def sweep_problems(books: Books, source: str, sweep: Sweep) -> list[str]:
    """Say what is wrong with a sweep."""
    problems, cost = [], sweep_cost(books, source, sweep.flags)
    if source == sweep.destination:
        problems.append("destination cannot be the same as source")
    if books.balance(source, "XCP") < cost:
        shown = f"{cost // 10**8}.{cost % 10**8:08d}".rstrip("0")
        problems.append(f"insufficient XCP balance for sweep. Need {shown} XCP for antispam fee")
    if sweep.flags > _ALL_FLAGS:
        problems.append(f"invalid flags {sweep.flags}")
    elif not sweep.flags & (_BALANCES | _OWNERSHIP):
        problems.append("must specify which kind of transfer in flags")
    if len(sweep.memo) > MOST_MEMO_BYTES:
        problems.append("memo too long")
    return problems


def _sweep(books: Books, place: Place, source: str, sweep: Sweep) -> str:
    status = status_of(sweep_problems(books, source, sweep))
    if status != "valid":
        return status
    cost = sweep_cost(books, source, sweep.flags)
    books.debit(place, source, "XCP", cost, "sweep fee")
    if sweep.flags & _BALANCES:
        for asset, quantity in books.holdings(source).items():
            books.debit(place, source, asset, quantity, "sweep")
            books.credit(place, sweep.destination, asset, quantity, "sweep")
    if sweep.flags & _OWNERSHIP:
        _hand_over(books, place, source, sweep.destination)
    books.event(place, "SWEEP", tx_index=place.tx_index, tx_hash=place.tx_hash, block_index=place.block_index,
                source=source, destination=sweep.destination, flags=sweep.flags, status=status,
                memo=sweep.memo.hex() or None, fee_paid=cost)
    return status


def _hand_over(books: Books, place: Place, source: str, destination: str) -> None:
    for name in issued_by(books, source):
        old = books.assets[name]
        books.assets[name] = type(old)(name, destination, old.divisible, old.longname, old.description)
        books.event(place, "ASSET_TRANSFER", tx_hash=place.tx_hash, asset=name, source=source,
                    issuer=destination, transfer=True, quantity=0, status="valid")


# --- broadcasts ---------------------------------------------------------------------------------------


def options_in(text: str) -> int | None:
    """Give the options that a broadcast's text sets; None where it sets none."""
    found = re.fullmatch(r"options ([0-9]+)", text.lower())
    return int(found[1]) if found else None


def broadcast_problems(books: Books, source: str, broadcast: Broadcast) -> list[str]:
    """Say what is wrong with a broadcast."""
    problems, feed = [], books.feeds.get(source)
    if broadcast.value != broadcast.value or abs(broadcast.value) > MOST_QUANTITY:
        problems.append("integer overflow")
    if broadcast.fee_fraction >= 10**8:
        problems.append("fee fraction greater than or equal to 1")
    if broadcast.timestamp < 0:
        problems.append("negative timestamp")
    if feed is not None and feed.locked:
        problems.append("locked feed")
    elif feed is not None and broadcast.timestamp <= feed.timestamp:
        problems.append("feed timestamps not monotonically increasing")
    if (options_in(broadcast.text) or 0) > NEEDS_MEMO:
        problems.append("options out of range")
    return problems


def _broadcast(books: Books, place: Place, source: str, broadcast: Broadcast) -> str:
    status = status_of(broadcast_problems(books, source, broadcast))
    locks = broadcast.text.lower() == "lock"
    books.event(place, "BROADCAST", tx_index=place.tx_index, tx_hash=place.tx_hash,
                block_index=place.block_index, source=source, timestamp=0 if locks else broadcast.timestamp,
                value=None if locks else broadcast.value, fee_fraction_int=broadcast.fee_fraction,
                text=None if locks else broadcast.text, locked=locks, status=status,
                mime_type=broadcast.mime_type or "text/plain")
    if status != "valid":
        return status
    books.feeds[source] = Feed(0 if locks else broadcast.timestamp, locks)
    options = options_in(broadcast.text)
    if options is not None:
        books.options[source] = (options, place.block_index)
        books.event(place, "NEW_ADDRESS_OPTIONS", address=source, options=options,
                    block_index=place.block_index)
    return status
