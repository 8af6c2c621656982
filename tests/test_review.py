"""The text that people read: golden cases, and that nothing in a transaction can hide, run too wide or show as another.

A golden case is a folder in tests/vectors/review/: transactions.json says why it is there and holds the effects,
review.txt the text. To write the texts of new cases: `python -m tests.test_review`, and read what it wrote.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.effects import Claim, Destination, Effects, Expiry, Payment, SettingChange
from shared.money import MOST_UNITS, Amount, Asset
from shared.review import WIDTH, Reviewed, fingerprint, printable, review, totals, wrap

FOLDER = Path(__file__).parent / "vectors" / "review"
CASES = sorted(path.name for path in FOLDER.iterdir())
DIGEST = bytes(range(32))


# --- golden cases ----------------------------------------------------------------------------------


def _asset(network: str, code: str) -> Asset:
    return Asset(network, code, {"XRP": 6, "BTC": 8, "NEAR": 24}[code])


def _amount(network: str, text: str) -> Amount:
    units, code = text.split(" ")
    return Amount(_asset(network, code), int(units))


def _transaction(row: dict[str, Any]) -> Reviewed:
    """Read one transaction of a case; what most have in common has a default."""
    network, source = row.get("network", "xrpl:local"), row["source"]
    payments = tuple(
        Payment(one.get("source", source), Destination(one["to"], one.get("tag"), one.get("memo")),
                _amount(network, one["amount"]))
        for one in row.get("payments", [])
    )
    changes = tuple(
        SettingChange(one.get("account", source), one["what"], one["detail"], one.get("who_may_sign", False),
                      tuple(one.get("keys", ())))
        for one in row.get("settings", [])
    )
    effects = Effects(
        kind=row["kind"],
        network=network,
        source=source,
        payments=payments,
        fee_payer=row.get("fee_payer", source),
        fee_most=_amount(network, row["fee"]),
        settings=changes,
        claims=tuple(Claim(one.get("scope", f"{network}/{source}"), one["name"]) for one in row["claims"]),
        expiry=Expiry(*row["expiry"]) if row.get("expiry") else None,
        facts=tuple(row.get("facts", ())),
        sworn=tuple((what, units) for what, units in row.get("sworn", ())),
    )
    transfers = tuple(bytes([number]) * 16 for number in range(1, len(payments) + 1))
    keys = tuple(tuple(path) for path in row.get("keys", [[2**31 + 44, 0, 7]]))
    return Reviewed(effects, keys, tuple(row.get("context", ())), transfers)


def _rendered(case: str) -> str:
    rows = json.loads((FOLDER / case / "transactions.json").read_text("utf-8"))["transactions"]
    return "\n".join(review([_transaction(row) for row in rows], DIGEST).lines) + "\n"


@pytest.mark.parametrize("case", CASES)
def test_a_case_reads_as_it_was_written_down(case: str) -> None:
    assert _rendered(case) == (FOLDER / case / "review.txt").read_text("ascii")


@pytest.mark.parametrize("case", CASES)
def test_a_case_fits_the_screen_and_says_why_it_is_there(case: str) -> None:
    assert max(map(len, _rendered(case).splitlines())) <= WIDTH
    assert json.loads((FOLDER / case / "transactions.json").read_text("utf-8"))["why"]


# --- printable -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text ~ {}", "plain text ~ {}"),
        ("", ""),
        ("\\", "\\\\"),
        ("\\u{a}", "\\\\u{a}"),
        ("line\nline\r\t", "line\\u{a}line\\u{d}\\u{9}"),
        ("\x1b[2J\x1b]0;title\x07", "\\u{1b}[2J\\u{1b}]0;title\\u{7}"),
        ("\x00\x7f\x9b", "\\u{0}\\u{7f}\\u{9b}"),
        ("r\u202eHb9", "r\\u{202e}Hb9"),
        ("\u2066\u200b\ufeff\u2028", "\\u{2066}\\u{200b}\\u{feff}\\u{2028}"),
        ("\u0440aypal e\u0301", "\\u{440}aypal e\\u{301}"),
        ("\U0001f680", "\\u{1f680}"),
        ("\ud800", "\\u{d800}"),
    ],
)
def test_only_printable_ascii_reaches_a_screen(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(), st.text())
def test_two_texts_never_show_as_one(one: str, other: str) -> None:
    shown = printable(one)
    assert (shown == printable(other)) == (one == other)
    assert shown.isascii()
    assert not shown or shown.isprintable()


def test_a_review_that_passes_a_screens_own_check_again_stays_as_it_is() -> None:
    paid = (Payment("rA", Destination("rB", memo="\x1b[2J\\" * 30), Amount(_XRP, 7)),)
    lines = review([replace(_PLAIN, effects=replace(_BASE, payments=paid))], DIGEST).lines
    assert [printable(line) for line in lines] == list(lines)
    assert printable(printable("\n\\")) == "\\u{a}\\\\"


def test_what_is_put_together_from_shown_text_is_checked_anew() -> None:
    assert printable("note " + printable("\\")) == "note \\\\\\\\"


# --- the fingerprint and the sums ------------------------------------------------------------------


def test_the_fingerprint_is_four_groups_of_the_digests_beginning() -> None:
    assert fingerprint(DIGEST) == "0001-0203-0405-0607"
    assert review([_PLAIN], DIGEST).fingerprint == fingerprint(DIGEST)


@pytest.mark.parametrize("bit", range(64))
def test_every_bit_of_the_digests_first_half_shows_in_the_fingerprint(bit: int) -> None:
    flipped = (int.from_bytes(DIGEST) ^ 1 << 255 - bit).to_bytes(32)
    assert fingerprint(flipped) != fingerprint(DIGEST)


_XRP = _asset("xrpl:local", "XRP")
_BASE = Effects("payment", "xrpl:local", "rA", (Payment("rA", Destination("rB"), Amount(_XRP, 7)),), "rA",
                Amount(_XRP, 1), (), (Claim("xrpl:local/rA", "sequence 1"),), Expiry(20, 10))
_PLAIN = Reviewed(_BASE, ((1, 2),), ("height 10",), (bytes(16),))


def test_payments_are_summed_by_source_and_asset() -> None:
    far = replace(_BASE, payments=(Payment("rA", Destination("rB"), Amount(_asset("xrpl:testnet", "XRP"), 5)),))
    other = replace(_BASE, payments=(*_BASE.payments, Payment("rC", Destination("rB"), Amount(_XRP, 2))))
    assert totals([_BASE, far, other]) == {("rA", _XRP): 14, ("rA", far.payments[0].amount.asset): 5, ("rC", _XRP): 2}
    assert totals([]) == {}


def test_sums_beyond_what_one_amount_can_be_are_shown() -> None:
    huge = replace(_BASE, payments=(Payment("rA", Destination("rB"), Amount(_XRP, MOST_UNITS)),),
                   fee_most=Amount(_XRP, MOST_UNITS))
    shown = review([replace(_PLAIN, effects=huge)] * 2, DIGEST).summary
    assert shown[1] == "  pays 680 564 733 841 876 926 926 749 214 863 536.42291 XRP on xrpl:local"
    assert shown[3:] == (
        "  fees at most 680 564 733 841 876 926 926 749 214 863 536.42291 XRP on ", "      > xrpl:local",
    )


def test_500_payments_read_as_one_heading_and_two_lines_each() -> None:
    rows = []
    for number in range(500):
        paid = (Payment("rA", Destination("rB", tag=number), Amount(_XRP, 7)),)
        claims = (Claim("xrpl:local/rA", f"ticket {number}"),)
        rows.append(replace(_PLAIN, effects=replace(_BASE, payments=paid, claims=claims)))
    shown = review(rows, DIGEST)
    assert len(shown.details) == 7 + 2 * 500
    assert shown.summary[1] == "  pays 0.0035 XRP on xrpl:local"
    assert shown.details[-2:] == (
        "  #500 uses ticket 499, pays 0.000007 XRP (transfer 000000000000)", "      to rB tag 499",
    )


# --- two requests that differ in meaning differ in text --------------------------------------------

words = st.text("abcXYZ019-", min_size=1, max_size=5)
hostile = st.text(st.sampled_from("ab \\\n#>:,{}u\x1b\u202e0"), max_size=12)
maybe_hostile = st.none() | hostile
numbers = st.integers(0, 3) | st.integers(0, 2**32 - 1)
amounts = st.builds(Amount, st.just(_XRP), st.integers(0, 3) | st.integers(0, MOST_UNITS))
payments = st.builds(
    Payment, st.sampled_from(["rA", "rC"]), st.builds(Destination, words, st.none() | numbers, maybe_hostile), amounts
)
changes = st.builds(
    SettingChange, st.sampled_from(["rA", "rC"]), words, hostile, st.booleans(), st.lists(words, max_size=2).map(tuple)
)

claims = st.builds(Claim, st.sampled_from(["xrpl:local/rA", "k"]), words)


@st.composite
def reviewed(draw: st.DrawFn) -> Reviewed:
    paid = tuple(draw(st.lists(payments, max_size=2)))
    effects = Effects(
        kind=draw(words),
        network=draw(st.sampled_from(["xrpl:local", "xrpl:testnet"])),
        source="rA",
        payments=paid,
        fee_payer=draw(st.sampled_from(["rA", "rC"])),
        fee_most=draw(amounts),
        settings=tuple(draw(st.lists(changes, max_size=2))),
        claims=tuple(draw(st.lists(claims, min_size=1, max_size=2))),
        expiry=draw(st.none() | st.builds(Expiry, numbers, numbers)),
        facts=tuple(f"memo {text}" for text in draw(st.lists(hostile, max_size=2))),
        sworn=tuple(draw(st.lists(st.tuples(words, st.integers(0, 5)), max_size=2))),
    )
    context = tuple(f"{draw(words)} {draw(hostile)}" for _ in range(draw(st.integers(0, 2))))
    keys = tuple(tuple(draw(st.lists(numbers, max_size=3))) for _ in range(draw(st.integers(0, 2))))
    return Reviewed(effects, keys, context, tuple(bytes([draw(st.integers(0, 3))]) * 16 for _ in paid))


@settings(max_examples=150)
@given(st.lists(reviewed(), max_size=3), st.lists(reviewed(), max_size=3))
def test_two_different_requests_never_read_the_same(one: list[Reviewed], other: list[Reviewed]) -> None:
    first, second = review(one, DIGEST).lines, review(other, DIGEST).lines
    assert (first == second) == (one == other)


@settings(max_examples=150)
@given(st.data())
def test_a_change_of_any_one_field_changes_the_text(data: st.DataObject) -> None:
    one, other = data.draw(reviewed()), data.draw(reviewed())
    name = data.draw(st.sampled_from([field.name for field in fields(Effects)] + ["keys", "context"]))
    if name == "payments":
        other = replace(other, effects=replace(other.effects, payments=other.effects.payments[: len(one.transfers)]))
        if len(other.effects.payments) < len(one.transfers):
            return
    if name in ("keys", "context"):
        changed = replace(one, **{name: getattr(other, name)})
    else:
        changed = replace(one, effects=replace(one.effects, **{name: getattr(other.effects, name)}))
    assert (review([one], DIGEST).lines == review([changed], DIGEST).lines) == (one == changed)


@settings(max_examples=60)
@given(st.lists(reviewed(), max_size=3))
def test_no_line_is_wider_than_a_screen_or_holds_anything_but_printable_ascii(many: list[Reviewed]) -> None:
    for line in review(many, DIGEST).lines:
        assert len(line) <= WIDTH
        assert line.isascii()
        assert line.isprintable()


@given(st.text(min_size=0, max_size=400))
def test_a_wrapped_line_holds_all_its_text_in_order(text: str) -> None:
    first, *further = wrap([text])
    assert all(line.startswith("      > ") for line in further)
    assert first + "".join(line[8:] for line in further) == printable(text)


def test_payments_and_transfers_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="shorter"):
        review([replace(_PLAIN, transfers=())], DIGEST)


if __name__ == "__main__":
    for name in CASES:
        text = FOLDER / name / "review.txt"
        if not text.exists():
            text.write_text(_rendered(name), "ascii")
