"""The books as beancount text: what is posted, every account opened, every transaction balanced to the last unit.

Names differ where ours differ: whatever beancount does not take is written as its UTF-8 bytes in hexadecimal digits,
so that no two accounts or assets become one. Numbers have all their digits; beancount itself adds up with 28 unless
it is told otherwise, and says nothing when that is too few.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from online.ledger.accounts import Kind, kind_of
from online.ledger.books import BookEntry
from online.ledger.csv_text import plain
from shared.money import Asset
from shared.review import printable

ROOTS: Final = {
    Kind.WALLET: "Assets:Wallet",
    Kind.TRANSIT: "Assets:Transit",
    Kind.CUSTOMER: "Liabilities:Customer",
    Kind.SUSPENSE: "Liabilities:Suspense",
    Kind.UNSWEPT: "Liabilities:Unswept",
    Kind.WITHDRAWALS: "Liabilities:Withdrawals",
    Kind.OWN: "Equity:Own",
    Kind.FEES: "Expenses:Fees",
    Kind.REFUNDS: "Expenses:Refunds",
    Kind.OUTSIDE: "Expenses:Outside",
}
"""Where each kind of account stands among beancount's five roots; an account's own name follows after a hyphen."""

_HEADER: Final = """\
; What is posted in Lockgate's books, in whole coins; what is pending or voided is left out.
; Where numbers have more than 28 digits beancount needs a wider decimal context than its own:
;   python -c "import decimal; decimal.getcontext().prec = 90; from beancount import loader; ..."
option "title" "Lockgate"
"""

_UPPER: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DIGITS: Final = frozenset("0123456789")
_PLAIN: Final = _UPPER | _DIGITS | frozenset("abcdefghijklmnopqrstuvwxyz")


def beancount_text(entries: Iterable[BookEntry]) -> str:
    """Write the posted entries, the oldest day first, with an open directive for each account on its first day."""
    kept = [one for one in entries if one.status == "posted" and one.lines]
    posted = sorted(kept, key=lambda one: (one.time, one.id))
    opened: dict[str, str] = {}
    for one in posted:
        for account, _, _ in one.lines:
            opened.setdefault(account_name(account), _day(one.time))
    opens = [f"{day} open {name}" for name, day in sorted(opened.items())]
    return "\n".join([_HEADER, *opens, "", *map(_transaction, posted)])


def account_name(account: str) -> str:
    """Name an account for beancount, each its own: "customer:dave" is "Liabilities:Customer-dave"."""
    name = "".join(one if one in _PLAIN else _hex(one, "-", "02x") for one in account.partition(":")[2])
    return f"{ROOTS[kind_of(account)]}-{name}"


def commodity_name(asset: Asset) -> str:
    """Name an asset for beancount, each its own: "XRPL.MAINNET.XRP", "NEAR.MAINNET.'USDT.TETHER-TOKEN.NEAR".

    Beancount has capital letters alone: an apostrophe in the code changes between capital and small ones.
    """
    chain, _, network = asset.network.partition(":")
    parts, capital = [], True
    for at, one in enumerate(asset.code):
        if one.upper() in _UPPER and one.isascii():
            if (one in _UPPER) != capital:
                capital = not capital
                parts.append("'")
            parts.append(one.upper())
        else:
            inner = one in ".-" and at + 1 < len(asset.code)  # the last character is a letter or a digit
            parts.append(one if one in _DIGITS or inner else _hex(one, "_", "02X"))
    return ".".join((chain.upper(), _network(network), "".join(parts)))


def _network(network: str) -> str:
    return "".join(one.upper() if one in _PLAIN - _UPPER else _hex(one, "_", "02X") for one in network)


def _hex(letter: str, sign: str, form: str) -> str:
    return "".join(f"{sign}{byte:{form}}" for byte in letter.encode())


def _transaction(one: BookEntry) -> str:
    narration = printable(one.memo).replace("\\", "\\\\").replace('"', '\\"')
    lines = [f'{_day(one.time)} * "{narration}"', f"  entry: {one.id}"]
    lines += [
        f"  {account_name(account)}  {plain(units, asset.decimals)} {commodity_name(asset)}"
        for account, asset, units in one.lines
    ]
    return "\n".join([*lines, ""])


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
