"""The choice of a sequence or ticket: never one that is taken, and none that could not come."""

from __future__ import annotations

import pytest

from online.chains.xrpl.claims import IN_A_ROW_MOST, Use, choose
from shared.effects import Claim
from shared.errors import BadPlan, ClaimNotFree, NoFreeClaim

WHERE = "xrpl:local/rA"


def taken(*names: str) -> list[Claim]:
    return [Claim(WHERE, name) for name in names]


@pytest.mark.parametrize(
    ("wanted", "tickets", "held", "use"),
    [
        ("any", (), (), Use(sequence=5)),
        ("any", (9, 7, 8), (), Use(ticket=7)),
        ("any", (7, 8), ("ticket 7",), Use(ticket=8)),
        ("any", (7,), ("ticket 7",), Use(sequence=5)),
        ("any", (), ("sequence 5",), Use(sequence=6, waits=True)),
        ("any", (), ("sequence 5", "sequence 6"), Use(sequence=7, waits=True)),
        ("any", (), ("sequence 4", "sequence 6"), Use(sequence=5)),
        ("sequence", (7,), (), Use(sequence=5)),
        ("ticket", (7,), (), Use(ticket=7)),
        ("ticket 8", (7, 8), (), Use(ticket=8)),
        ("sequence 5", (7,), (), Use(sequence=5)),
        ("sequence 6", (), ("sequence 5",), Use(sequence=6, waits=True)),
    ],
)
def test_tickets_come_first_then_the_first_sequence_that_nobody_holds(
    wanted: str, tickets: tuple[int, ...], held: tuple[str, ...], use: Use
) -> None:
    assert choose(wanted, WHERE, 5, tickets, taken(*held)) == use


def test_claims_of_another_account_or_network_take_nothing_here() -> None:
    others = [Claim("xrpl:local/rB", "sequence 5"), Claim("xrpl:testnet/rA", "sequence 5")]
    assert choose("any", WHERE, 5, (), others) == Use(sequence=5)


@pytest.mark.parametrize(("wanted", "tickets", "held"), [("ticket", (), ()), ("ticket", (7,), ("ticket 7",))])
def test_without_a_free_ticket_a_wish_for_one_is_refused_with_the_advice_to_create_some(
    wanted: str, tickets: tuple[int, ...], held: tuple[str, ...]
) -> None:
    with pytest.raises(NoFreeClaim) as refusal:
        choose(wanted, WHERE, 5, tickets, taken(*held))
    assert "tickets" in refusal.value.hint


def test_no_more_sequences_wait_in_a_row_than_a_node_queues() -> None:
    held = taken(*(f"sequence {5 + step}" for step in range(IN_A_ROW_MOST)))
    assert choose("any", WHERE, 5, (), held[:-1]) == Use(sequence=4 + IN_A_ROW_MOST, waits=True)
    with pytest.raises(NoFreeClaim):
        choose("any", WHERE, 5, (), held)


@pytest.mark.parametrize("wanted", ["ticket 9", "ticket 7", "sequence 4", "sequence 5", "sequence 7"])
def test_a_claim_asked_for_by_name_is_refused_unless_it_is_free_and_next(wanted: str) -> None:
    with pytest.raises(ClaimNotFree):
        choose(wanted, WHERE, 5, (7, 8), taken("ticket 7", "sequence 5"))


@pytest.mark.parametrize(
    "wanted", ["", "tickets", "ticket 0", "ticket 07", "sequence -1", "ticket \u0667", "nonce 3"]
)
def test_a_wish_that_names_no_claim_is_refused(wanted: str) -> None:
    with pytest.raises(BadPlan):
        choose(wanted, WHERE, 5, (7, 8), ())
