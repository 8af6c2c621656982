"""Reads drafted or composed bytes back with the shared decoder, and holds what they do against the plan.

Nobody is believed here: neither a composing server nor our own encoder. A difference is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from online.chains.bitcoin.draft import Draft
from online.chains.bitcoin.plans import Wish
from shared.chains.bitcoin import BITCOIN
from shared.chains.bitcoin.counterparty.meaning import payments as meaning_of
from shared.chains.bitcoin.model import Tx, paid
from shared.effects import Claim, Effects, Payment, SettingChange
from shared.errors import BadPlan, BuiltWrong


@dataclass(frozen=True, slots=True)
class Read:
    """Bytes as the shared decoder reads them, and what they do."""

    tx: Tx
    effects: Effects

    @property
    def commit_fee(self) -> int:
        """Give the fee of the first transaction alone."""
        return sum(spend.output.value for spend in self.tx.spends) - paid(self.tx.transaction)


def register_of(wish: Wish) -> dict[str, int]:
    """Give the decimals of the plan's assets.

    Raises:
        BadPlan: where the plan contradicts itself.
    """
    register: dict[str, int] = {}
    for payment in wish.sent:
        asset = payment.amount.asset
        if register.setdefault(asset.code, asset.decimals) != asset.decimals:
            raise BadPlan(f"the plan gives {asset.code} two numbers of decimals")
    return register


def read_back(wish: Wish, draft: Draft) -> Read:
    """Decode drafted bytes. Raises what the decoder refuses."""
    tx = BITCOIN.decode(draft.unsigned, draft.context, draft.keys, wish.plan.network)
    return Read(tx, BITCOIN.effects(tx, register_of(wish)))


def require_planned(wish: Wish, draft: Draft, read: Read) -> Effects:
    """Hold what our own draft does against the plan.

    Raises:
        BuiltWrong: naming every difference.
    """
    found = list(differences(wish, draft, read))
    if read.commit_fee != draft.chosen.fee_sats:
        found.append(f"it leaves {read.commit_fee} sat to the miner, and {draft.chosen.fee_sats} were meant")
    if found:
        raise BuiltWrong(f"the built {wish.plan.kind} does something else than its plan: {'; '.join(found)}")
    return read.effects


def differences(wish: Wish, draft: Draft, read: Read) -> Iterable[str]:
    """Name what bytes do otherwise than planned, whoever made them; fees are judged by the caller."""
    effects, plan = read.effects, wish.plan
    if (effects.kind, effects.network) != (plan.kind, plan.network):
        yield f"it is a {effects.kind} on {effects.network}"
    if effects.source != plan.source or effects.fee_payer != plan.source:
        yield f"its source is {effects.source}"
    yield from _of_payments(plan.payments, effects.payments)
    wanted = {Claim(plan.network, str(coin.outpoint)) for coin in draft.chosen.coins}
    if set(effects.claims) != wanted or len(effects.claims) != len(wanted):
        yield "it spends other outputs than were chosen"
    if effects.claims[0].name != str(draft.chosen.coins[0].outpoint):
        yield f"its first input is {effects.claims[0].name}"
    yield from _of_settings(_settings(wish), effects.settings)


def _of_payments(wanted: Iterable[Payment], found: Iterable[Payment]) -> Iterable[str]:
    missing, extra = Counter(wanted), Counter(found)
    missing, extra = missing - extra, extra - missing
    if missing:
        some = next(iter(missing))
        yield f"it does not pay {some.amount} to {some.destination}" + _more(missing)
    if extra:
        some = next(iter(extra))
        yield f"it pays {some.amount} to {some.destination}" + _more(extra)


def _more(payments: Counter[Payment]) -> str:
    count = sum(payments.values()) - 1
    return f" (and {count} more such)" if count else ""


def _settings(wish: Wish) -> tuple[SettingChange, ...]:
    if wish.message is None:
        return ()
    return meaning_of(wish.message, wish.plan.source, wish.plan.network, register_of(wish)).settings


def _of_settings(wanted: tuple[SettingChange, ...], found: tuple[SettingChange, ...]) -> Iterable[str]:
    if found != wanted:
        yield f"it sets: {'; '.join(change.detail for change in found) or 'nothing'}"
