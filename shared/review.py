"""What a person reads before approving: effects as lines, the same text on both machines, and a short fingerprint.

Everything in a transaction shows here: two requests that differ in meaning differ in text. Nothing reaches a screen but
through `printable`. The fingerprint catches mix-ups between two honest screens and nothing more; approvals sign the
full digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from shared.chains.api import KeyPath
from shared.effects import Claim, Effects, Expiry, Payment
from shared.hdkeys import print_path
from shared.money import Asset, format_units

WIDTH = 80
_FURTHER = "      > "


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A transaction as the review needs it: effects, key paths, the stated context, and its transfers' ids."""

    effects: Effects
    keys: tuple[KeyPath, ...]
    context: tuple[str, ...]
    transfers: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """The lines to read, none longer than 80 columns, and the request's fingerprint."""

    summary: tuple[str, ...]
    details: tuple[str, ...]
    fingerprint: str

    @property
    def lines(self) -> tuple[str, ...]:
        """Give the whole text."""
        return self.summary + self.details


class Printed(str):
    """A text that `printable` has passed; it passes again unchanged, whichever screen asks once more."""

    __slots__ = ()


def printable(text: str) -> str:
    """Leave only printable ASCII.

    Everything else shows as an escape, and a backslash doubled, so that nothing hides and no two texts show as one.
    """
    if isinstance(text, Printed) or (text.isascii() and text.isprintable() and "\\" not in text):
        return text
    return Printed("".join(_escaped(letter) for letter in text))


def fingerprint(digest: bytes) -> str:
    """Give the short form of a digest (32 bytes) that two people compare: four groups of four hex digits."""
    text = digest[:8].hex().upper()
    return "-".join(text[at : at + 4] for at in range(0, 16, 4))


def context_lines(context: Mapping[str, int | str | bytes | bool | None]) -> tuple[str, ...]:
    """Write what the coordinator states beside the bytes of one transaction."""
    return tuple(f"{name} {_stated(value)}" for name, value in sorted(context.items()))


def _stated(value: object) -> str:
    """Write a plain value so that two different ones never look alike."""
    if isinstance(value, bytes):
        return f"0x{value.hex()}" if len(value) <= 40 else f"{len(value)} bytes, SHA-256 {sha256(value).hexdigest()}"
    return repr(value)


def review(transactions: Sequence[Reviewed], digest: bytes) -> Review:
    """Render transactions in their order: sums first, then every one of them."""
    short = fingerprint(digest)
    return Review(tuple(wrap(_summary(transactions, short))), tuple(wrap(_details(transactions))), short)


def wrap(lines: Iterable[str]) -> Iterable[str]:
    """Make lines printable, and cut what is wider than a screen into lines that continue with a mark of their own."""
    for line in map(printable, lines):
        at, mark = 0, ""
        while at < len(line) or not mark:
            end = _end(line, at, WIDTH - len(mark))
            yield Printed(mark + line[at:end])
            at, mark = end, _FURTHER


def totals(effects: Iterable[Effects]) -> dict[tuple[str, Asset], int]:
    """Sum the payments by source address and asset, in base units."""
    sums: dict[tuple[str, Asset], int] = {}
    for one in effects:
        for payment in one.payments:
            key = (payment.source, payment.amount.asset)
            sums[key] = sums.get(key, 0) + payment.amount.units
    return sums


def _summary(transactions: Sequence[Reviewed], short: str) -> Iterable[str]:
    count = len(transactions)
    yield f"request {short}: {count} transaction{'s' if count != 1 else ''}"
    for (source, asset), units in totals(one.effects for one in transactions).items():
        yield f"  pays {_sum(units, asset)} on {asset.network}"
        yield f"    from {source}"
    fees: dict[Asset, int] = {}
    for one in transactions:
        asset = one.effects.fee_most.asset
        fees[asset] = fees.get(asset, 0) + one.effects.fee_most.units
    for asset, units in fees.items():
        yield f"  fees at most {_sum(units, asset)} on {asset.network}"
    for number, one in enumerate(transactions, 1):
        for change in one.effects.settings:
            danger = "CHANGES WHO MAY SIGN: " if change.who_may_sign else "changes "
            yield f"  #{number} {danger}{change.what}"


def _details(transactions: Sequence[Reviewed]) -> Iterable[str]:
    """Transactions that agree in all but claim, payment and transfer stand under one heading, wherever they are.

    Headings come in the order of their first transactions, and the numbers say which one each is.
    """
    groups: dict[tuple[str, ...], list[tuple[int, Reviewed]]] = {}
    for number, one in enumerate(transactions, 1):
        groups.setdefault(_heading(one), []).append((number, one))
    for heading, group in groups.items():
        yield ""
        yield from heading
        for number, one in group:
            yield from _transaction(number, one)


def _heading(one: Reviewed) -> tuple[str, ...]:
    effects = one.effects
    lines = [f"{effects.kind} on {effects.network}", f"  from {effects.source}"]
    if effects.fee_payer != effects.source:
        lines.append(f"  fee paid by {effects.fee_payer}")
    lines.append(f"  fee at most {effects.fee_most}")
    if effects.expiry is not None:
        lines.append(f"  {_until(effects.expiry)}")
    lines.append("  signed by key " + ", ".join(print_path(path) for path in one.keys))
    lines.extend(f"  stated by the coordinator: {text}" for text in one.context)
    lines.extend(f"  {fact}" for fact in effects.facts)
    return tuple(lines)


def _transaction(number: int, one: Reviewed) -> Iterable[str]:
    claims = ", ".join(_claim(claim, one.effects) for claim in one.effects.claims)
    settings = one.effects.settings
    payments = one.effects.payments
    if len(payments) != 1 or settings:
        yield f"  #{number} uses {claims}"
    for change in settings:
        danger = "WHO MAY SIGN: " if change.who_may_sign else ""
        yield f"      {danger}{change.what}: {change.detail}"
        if change.account != one.effects.source:
            yield f"      of account {change.account}"
        yield from (f"      to sign: {key}" for key in change.keys)
    for what, units in one.effects.sworn:
        yield f"      stated and signed: {what} holds {_sum(units, one.effects.fee_most.asset)}"
    for payment, transfer in zip(payments, one.transfers, strict=True):
        lead = f"#{number} uses {claims}, pays" if len(payments) == 1 and not settings else "    pays"
        yield f"  {lead} {payment.amount} (transfer {transfer.hex()[:12]})"
        yield from _payment(payment, one.effects)


def _payment(payment: Payment, effects: Effects) -> Iterable[str]:
    if payment.source != effects.source:
        yield f"      from {payment.source}"
    yield f"      to {payment.destination}"


def _claim(claim: Claim, effects: Effects) -> str:
    """Name a claim; whose it is goes without saying where it is the source's own, or a line of the heading is that."""
    said = claim.scope == f"{effects.network}/{effects.source}" or f"nonces of {claim.scope}" in effects.facts
    return claim.name if said else str(claim)


def _until(expiry: Expiry) -> str:
    away = expiry.last_height - expiry.stated_height
    return f"until ledger {expiry.last_height}, {away} after the stated height"


def _sum(units: int, asset: Asset) -> str:
    """Print a sum, which may be more than any one amount can be."""
    return f"{format_units(units, asset.decimals)} {asset.code}"


def _end(line: str, at: int, room: int) -> int:
    """Find where a piece of a line ends: behind a blank of its second half if there is one, so addresses stay whole."""
    if len(line) - at <= room:
        return len(line)
    return line.rfind(" ", at + room // 2, at + room) + 1 or at + room


def _escaped(letter: str) -> str:
    if letter == "\\":
        return "\\\\"
    if letter.isascii() and letter.isprintable():
        return letter
    return f"\\u{{{ord(letter):x}}}"
