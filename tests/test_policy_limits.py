"""No sequence of requests spends more than any limit: `evaluate` against a naive count of everything ever allowed.

Hypothesis draws requests, days and epochs; what is allowed is added to the usage as the signer's journal does. The
count beside it knows nothing of buckets: it keeps a list of all movements, and sums it anew each time.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.effects import Effects
from shared.policy import Limits, Usage
from tests.policy_cases import ALL, ANY, RULE, effects, judge, key_change, payment, tickets

LISTED = [("rHot", None), ("rExchange", 7)]
STRANGERS = [("rStranger", None), ("rExchange", 9)]

payments = st.builds(
    lambda units, to, source: payment(units, to[0], tag=to[1], source=source),
    st.one_of(st.integers(0, 110), st.sampled_from([9, 10, 11, 99, 100, 101])),
    st.sampled_from(LISTED + STRANGERS),
    st.sampled_from(["rCold", "rCold2"]),
)
transactions = st.one_of(
    st.builds(
        lambda many, fee: effects(*many, fee=fee), st.lists(payments, min_size=1, max_size=3), st.integers(0, 13)
    ),
    st.builds(tickets, st.integers(0, 13)),
)
requests = st.lists(transactions, min_size=1, max_size=4)
steps = st.lists(st.one_of(requests, requests, requests, st.just("day"), st.just("epoch")), max_size=25)


@dataclass
class Oracle:
    """Everything that was ever allowed, as (day, epoch, effects)."""

    day: int = 0
    epoch: int = 0
    moved: list[tuple[int, int, Effects]] = field(default_factory=list)

    def spent(self, *, day: int | None = None, epoch: int | None = None, strangers: bool = False) -> int:
        found = 0
        for of_day, of_epoch, one in self.moved:
            if day in (None, of_day) and epoch in (None, of_epoch):
                found += paid(one, strangers=strangers) + (0 if strangers else one.fee_most.units)
        return found

    def free(self) -> int:
        return sum(of == self.epoch and not paid(one) for _, of, one in self.moved)


def paid(one: Effects, *, strangers: bool = False) -> int:
    return sum(
        payment.amount.units
        for payment in one.payments
        if not strangers or (payment.destination.address, payment.destination.tag) not in LISTED
    )


def within(limits: Limits, request: int, day: int, epoch: int) -> bool:
    return request <= limits.request and day <= limits.day and epoch <= limits.epoch


@settings(max_examples=150)
@given(steps)
def test_no_sequence_of_requests_ever_spends_more_than_any_limit(steps: list[list[Effects] | str]) -> None:
    oracle, usage = Oracle(), Usage()
    wide, narrow = RULE.limits["XRP"], RULE.any_limits["XRP"]
    for step in steps:
        if step == "day":
            oracle.day += 1
            usage.day.clear()
            continue
        if step == "epoch":
            oracle.epoch += 1
            usage = Usage(day=dict(usage.day))
            continue
        request = [one for one in step if isinstance(one, Effects)]
        decision = judge(*request, usage=usage)
        tried = replace(oracle, moved=oracle.moved + [(oracle.day, oracle.epoch, one) for one in request])
        good = (
            within(wide, sum(map(paid, request)), tried.spent(day=tried.day), tried.spent(epoch=tried.epoch))
            and within(
                narrow,
                sum(paid(one, strangers=True) for one in request),
                tried.spent(day=tried.day, strangers=True),
                tried.spent(epoch=tried.epoch, strangers=True),
            )
            and all(one.fee_most.units <= RULE.fee_most for one in request)
            and all(paid(replace(one, payments=(each,))) <= wide.transfer for one in request for each in one.payments)
            and all(
                paid(replace(one, payments=(each,)), strangers=True) <= narrow.transfer
                for one in request
                for each in one.payments
            )
            and (tried.free() <= RULE.free_most or all(map(paid, request)))
        )
        assert (not decision.refusals) == good
        if good:
            oracle = tried
            for spend in decision.spends:
                usage.add(spend)
            assert usage.day.get(ALL, 0) == oracle.spent(day=oracle.day)
            assert usage.epoch.get(ANY, 0) == oracle.spent(epoch=oracle.epoch, strangers=True)
            assert usage.free.get("cold", 0) == oracle.free()


@given(requests, requests)
def test_nothing_is_allowed_from_a_wallet_whose_signers_changed_until_the_next_epoch(
    first: list[Effects], second: list[Effects]
) -> None:
    usage = Usage()
    for spend in judge(*first, key_change("rCold2")).spends:
        usage.add(spend)
    assert len(judge(*second, usage=usage).refusals) >= len(second)
