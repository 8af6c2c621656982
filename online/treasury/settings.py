"""What the settings say about proposals, a network's section each: what is worth a sweep, ticket pools, coins, priming.

They decide what is proposed and move nothing: an order is still two people's word.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from online.chains import customs
from online.chains.api import Customs
from shared.chains import chain
from shared.errors import BadAmount, BadConfig
from shared.money import Amount, Asset, parse_amount

PREFIX: Final = "plan_"
_SWEEP, _TICKETS, _COINS, _RATE, _GIVEN = (
    f"{PREFIX}{name}" for name in ("sweep", "tickets", "coins", "rate", "prime_given")
)
_TICKETS_MOST: Final = 250


@dataclass(frozen=True, slots=True)
class Pool:
    """A wallet's tickets: below `low` free ones it is filled up to `full`."""

    low: int
    full: int


@dataclass(frozen=True, slots=True)
class Settings:
    """What is proposed on a network.

    `sweep` says from which amount on, in whole coins by asset, a customer's address is swept. `prime` is what such an
    address shall hold so that it can pay for sends, `prime_memo` where customers share it, None where no ledger asks
    for that; `prime_given` says that every address that a customer has shall hold it. `tickets` are pools by wallet.
    Above `coins` coins an address is consolidated while the fee rate is at most `rate`.
    """

    sweep: Mapping[str, str] = field(default_factory=dict)
    prime: Amount | None = None
    prime_memo: Amount | None = None
    prime_given: bool = False
    tickets: Mapping[str, Pool] = field(default_factory=dict)
    coins: int | None = None
    rate: int = 0


def read_settings(network: str, section: Mapping[str, Any], prime: Mapping[bool, Amount]) -> Settings:
    """Read what a network's section says; `prime` are the least amounts of addresses, without and with memos.

    Raises:
        BadConfig: for what is unknown, no number, or nothing that the ledger has.
    """
    found, ledger = {name: value for name, value in section.items() if name.startswith(PREFIX)}, customs(network)
    unknown = set(found) - _known(ledger)
    if unknown:
        raise BadConfig(f"{min(unknown)[:40]} is no setting of proposals on {network}")
    if (_COINS in found) != (_RATE in found):
        raise BadConfig(f"{_COINS} and {_RATE} stand together: so many coins, and while fees are so low")
    given = found.get(_GIVEN, False)
    if not isinstance(given, bool):
        raise BadConfig(f"{_GIVEN} is true or false")
    return Settings(
        sweep={**ledger.sweep_least, **_sweep(found.get(_SWEEP, {}))},
        prime=prime.get(False),
        prime_memo=prime.get(True),
        prime_given=given,
        tickets=_pools(found.get(_TICKETS, {})),
        coins=_number(_COINS, found[_COINS]) if _COINS in found else None,
        rate=_rate(found.get(_RATE, "0")),
    )


def require_worth(settings: Settings, native: Asset, units: int) -> None:
    """Refuse to sweep what addresses were primed with: it would be sent there and back for ever. Raises BadConfig."""
    most = max((one.units for one in (settings.prime, settings.prime_memo) if one is not None), default=-1)
    if units <= most:
        raise BadConfig(f"{_SWEEP} of {native.code} is at most what addresses are primed with: make it larger")


def require_wallets(settings: Settings, network: str, names: Collection[str]) -> None:
    """Refuse a pool of tickets of a wallet that is not there. Raises BadConfig."""
    unknown = set(settings.tickets) - set(names)
    if unknown:
        raise BadConfig(f"{_TICKETS} names {min(unknown)[:40]!r}, which is no wallet of {network}")


def _known(ledger: Customs) -> set[str]:
    known = {_SWEEP} if not ledger.tags else set()
    known |= {_TICKETS} if ledger.tickets else set()
    known |= {_GIVEN} if ledger.least else set()
    return known | ({_COINS, _RATE} if ledger.consolidation else set())


def _sweep(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise BadConfig(f'{_SWEEP} is whole coins as texts by asset, such as {{ XCP = "1" }}')
    return value


def _pools(value: Any) -> dict[str, Pool]:
    if not isinstance(value, dict):
        raise BadConfig(f"{_TICKETS} is two numbers by wallet, such as {{ hot = [50, 200] }}")
    return {str(wallet): _pool(pair) for wallet, pair in value.items()}


def _pool(pair: Any) -> Pool:
    numbers = pair if isinstance(pair, list) and all(type(one) is int for one in pair) else []
    if len(numbers) != 2 or not 1 <= numbers[0] <= numbers[1] <= _TICKETS_MOST:
        raise BadConfig(f"a pool of tickets is two numbers from 1 to {_TICKETS_MOST}: fewer than, and up to")
    return Pool(*numbers)


def _number(name: str, value: Any) -> int:
    if type(value) is not int or value < 2:
        raise BadConfig(f"{name} is a whole number from 2 on")
    return value


def _rate(text: Any) -> int:
    try:
        return parse_amount(text, Asset("", "base units a virtual byte", 3)).units
    except (BadAmount, TypeError, AttributeError):
        raise BadConfig(f'{_RATE} is base units a virtual byte as a text, such as "2.5"') from None


def least_units(settings: Settings, network: str, find: Mapping[str, Asset]) -> dict[str, int]:
    """Give what is worth a sweep in base units, by asset. Raises BadConfig for an asset that nobody noted."""
    native = chain(network).network(network).native
    found = {}
    for code, text in settings.sweep.items():
        asset = native if code == native.code else find.get(code)
        if asset is None:
            raise BadConfig(f"{_SWEEP} names {code[:40]}, which is not noted here")
        try:
            found[code] = max(parse_amount(text, asset).units, 1)
        except BadAmount as bad:
            raise BadConfig(f"{_SWEEP}: {bad}") from None
    if native.code in found:
        require_worth(settings, native, found[native.code])
    return found
