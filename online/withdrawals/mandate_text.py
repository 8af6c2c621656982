"""A mandate as people write and read it: one TOML text, amounts as texts of whole coins."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from online.withdrawals.mandates import Ceiling, Mandate, Patience
from shared.chains import chain
from shared.errors import BadMandate, Refusal
from shared.money import Amount, Asset, parse_amount

_SPANS: Final = ("event", "day", "customer_day", "review")
_FLOORS: Final = frozenset({"least", "customer_count"})
_FIELDS: Final = {"wallet", "count", "age_seconds", "assets"}
_PATIENCE: Final = {"fee_most", "fee_age_seconds"}


def read_mandate(text: str, find: Callable[[str, str], Asset]) -> Mandate:
    """Read a mandate; `find` gives an asset by the wallet's name and the asset's code.

    Raises:
        BadMandate: for what is not TOML, for unknown or missing fields, and for amounts that are none.
    """
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadMandate(f"the mandate is not TOML: {error}") from None
    wallet, assets = table.get("wallet"), table.get("assets")
    known = set(table) in (_FIELDS, _FIELDS | _PATIENCE)
    if not known or not isinstance(wallet, str) or not isinstance(assets, dict) or not assets:
        raise BadMandate(
            f"a mandate has {', '.join(sorted(_FIELDS))}, perhaps both {' and '.join(sorted(_PATIENCE))}, nothing else"
        )
    found = {code: find(wallet, code) for code in assets}
    ceilings = {code: _ceiling(code, one, found[code]) for code, one in assets.items()}
    patience = _patience(table, next(iter(found.values())).network)
    return Mandate(wallet, ceilings, _number(table, "count"), _number(table, "age_seconds"), patience)


def mandate_lines(mandate: Mandate, find: Callable[[str, str], Asset]) -> list[str]:
    """Say what a mandate lets through, for who signs it."""
    lines = [f"the wallet {mandate.wallet} pays withdrawals by itself"]
    for code, one in sorted(mandate.ceilings.items()):
        asset = find(mandate.wallet, code)
        event, day, customer_day, review = (Amount(asset, units) for units in (
            one.event, one.day, one.customer_day, one.review))  # fmt: skip
        lines.append(f"{code}: at most {event} at once, {customer_day} a customer and {day} in all in 24 hours")
        lines.append(f"{code}: above {review} a person looks first")
        lines.append(f"{code}: at least {Amount(asset, one.least)}, and {one.customer_count} of a customer in 24 hours")
    lines.append(f"gathered when {mandate.count} wait, or the oldest has waited {mandate.age_seconds} seconds")
    if mandate.patience is not None:
        fee = Amount(_native(find(mandate.wallet, min(mandate.ceilings)).network), mandate.patience.fee)
        lines.append(f"while a payment costs more than {fee}, only after {mandate.patience.seconds} seconds")
    return lines


def _patience(table: dict[str, Any], network: str) -> Patience | None:
    if "fee_most" not in table:
        return None
    try:
        fee = parse_amount(table["fee_most"], _native(network)).units
    except (Refusal, TypeError):
        native = _native(network).code
        raise BadMandate(f'fee_most is what a payment may cost, whole {native} as a text, such as "0.00002"') from None
    return Patience(fee, _number(table, "fee_age_seconds"))


def _native(network: str) -> Asset:
    return chain(network).network(network).native


def _ceiling(code: str, spans: Any, asset: Asset) -> Ceiling:
    whole = isinstance(spans, dict) and set(spans) - _FLOORS == set(_SPANS)
    if not whole or not all(isinstance(one, str) for name, one in spans.items() if name != "customer_count"):
        raise BadMandate(f"{code[:40]}: {', '.join(_SPANS)} and perhaps least are amounts as texts, such as \"100\"")
    try:
        most = Ceiling(*(parse_amount(spans[name], asset).units for name in _SPANS))
        least = parse_amount(spans["least"], asset).units if "least" in spans else most.least
        count = _number(spans, "customer_count") if "customer_count" in spans else most.customer_count
        return replace(most, least=least, customer_count=count)
    except Refusal as refusal:
        raise BadMandate(f"{code}: {refusal}") from None


def _number(table: dict[str, Any], name: str) -> int:
    if type(table[name]) is not int:
        raise BadMandate(f"{name} is a whole number")
    return int(table[name])
