"""Policies as texts: one that is good, a table of bad ones, and the seal of the administrators' quorum.

The bad ones stand in tests/vectors/policy/refused.toml, each as one change of good.toml and what the refusal must say.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from shared.chains.xrpl.addresses import pack_address
from shared.effects import Destination
from shared.encoding import encode
from shared.errors import BadPolicy, BadSeal, QuorumMissing, Refusal, StrangeSigner, WrongDocument
from shared.policy import Limits, Place
from shared.policy_document import (
    MOST_TEXT,
    POLICY,
    open_policy,
    parse_policy,
    read_policy,
    seal_policy,
    sign_policy,
)
from shared.sealed import Sign, seal

FOLDER = Path(__file__).parent / "vectors" / "policy"
GOOD = (FOLDER / "good.toml").read_text("utf-8")
CASES: dict[str, dict[str, Any]] = tomllib.loads((FOLDER / "refused.toml").read_text("utf-8"))
PAID = "r4NW8MyD7T2Yu71oRVWQQz8ykg3YcpY88"


def _filled(text: str) -> str:
    """Write out what a case abbreviates."""
    text = re.sub(r"@[kK]:(.)@", lambda found: found[1] * 64, text)
    text = re.sub(r"@(.)\*(\d+)@", lambda found: found[1] * int(found[2]), text)
    for mark, tag, network in (("@X@", None, "local"), ("@X7@", 7, "local"), ("@XMAIN@", 7, "mainnet")):
        text = text.replace(mark, pack_address(Destination(PAID, tag), f"xrpl:{network}"))
    return text


def _pen(name: str) -> tuple[bytes, Sign]:
    key = SigningKey(hashlib.sha256(name.encode()).digest())
    return key.verify_key.encode(), lambda message: key.sign(message).signature


ANN, BEN, EVE = _pen("ann"), _pen("ben"), _pen("eve")
ADMINISTRATORS = (ANN[0], BEN[0])


# --- the text --------------------------------------------------------------------------------------


def test_a_good_policy_says_what_its_text_says() -> None:
    policy = parse_policy(GOOD)
    cold, hot = policy.rules
    assert (policy.epoch, policy.network_class, policy.clock_jump_most) == (7, "test", 259_200)
    assert [person.name for person in policy.administrators] == ["ann", "ben"]
    assert policy.administrators_quorum == 2
    assert [person.key for person in policy.stations] == [bytes(32)]
    assert policy.signing_keys == {"raJ1Aqkhf19P7cyUc33MMVAzgvHPvtNFC"}
    assert [wallet.name for wallet in policy.wallets] == ["cold", "hot", "far"]
    assert policy.wallets[1].places == (Place("rGvdqXNwMbSwRiubF4PhhVqzhkiaTDPgU", "required"),)
    assert [place.tag for place in cold.to_places] == [7, "any"]
    assert cold.limits == {"XRP": Limits(100_000_000_000, 150_000_000_000, 200_000_000_000, 500_000_500_000)}
    assert cold.any_limits["XRP"].epoch == 50_000_000
    assert (cold.fee_most, cold.free_most, cold.expiry_most, cold.approvals) == (1_000, 5, 30_000, 1)
    assert (hot.automatic, hot.approvals, hot.any_limits, hot.to_places) == (True, 0, {}, ())


@pytest.mark.parametrize("name", CASES)
def test_a_bad_text_is_refused_and_says_why(name: str) -> None:
    case = CASES[name]
    before, after = _filled(case["replace"]), _filled(case["by"])
    assert before in GOOD, "the case changes nothing"
    with pytest.raises(BadPolicy) as refused:
        parse_policy(GOOD.replace(before, after, 1))
    assert case["says"] in str(refused.value)
    assert len(str(refused.value)) < 300
    assert refused.value.hint


@pytest.mark.parametrize("text", ["", "epoch", "\x00", "\ufeff" + GOOD, "[" * 10_000, GOOD + "\x1b[2J"])
def test_a_text_that_is_no_policy_at_all_is_refused(text: str) -> None:
    with pytest.raises(BadPolicy):
        parse_policy(text)


def test_a_huge_text_is_refused_unread() -> None:
    with pytest.raises(BadPolicy, match="more than 200000 characters"):
        parse_policy(GOOD + "#" * MOST_TEXT)


@pytest.mark.parametrize("tag", [0, 7, 2**32 - 1])
def test_a_tag_is_any_number_of_32_bits(tag: int) -> None:
    policy = parse_policy(GOOD.replace("tag 7", f"tag {tag}"))
    assert policy.rules[0].to_places[0].tag == tag


def test_any_limits_as_wide_as_the_limits_are_allowed() -> None:
    wide = GOOD.replace('epoch = "50"', 'epoch = "500000.5"')
    assert parse_policy(wide).rules[0].any_limits["XRP"].epoch == parse_policy(wide).rules[0].limits["XRP"].epoch


# --- the seal --------------------------------------------------------------------------------------


def test_a_policy_counts_when_the_quorum_has_signed_it() -> None:
    sealed = sign_policy(seal_policy(GOOD, *ANN), *BEN)
    assert open_policy(sealed, ADMINISTRATORS, 2) == parse_policy(GOOD)
    policy, text, opened = read_policy(sealed)
    assert (policy, text) == (parse_policy(GOOD), GOOD)
    assert opened.signers == tuple(sorted(ADMINISTRATORS))


def test_one_signature_is_no_quorum_of_two() -> None:
    with pytest.raises(QuorumMissing):
        open_policy(seal_policy(GOOD, *ANN), ADMINISTRATORS, 2)


def test_an_administrator_who_signs_twice_counts_once_and_is_refused() -> None:
    with pytest.raises(BadSeal):
        sign_policy(seal_policy(GOOD, *ANN), *ANN)


def test_a_stranger_beside_a_full_quorum_is_refused() -> None:
    sealed = sign_policy(sign_policy(seal_policy(GOOD, *ANN), *BEN), *EVE)
    with pytest.raises(StrangeSigner):
        open_policy(sealed, ADMINISTRATORS, 2)


def test_administrators_named_by_the_text_alone_have_no_say() -> None:
    with pytest.raises(StrangeSigner):
        open_policy(sign_policy(seal_policy(GOOD, *EVE), *BEN), [ANN[0]], 1)


def test_a_bad_text_is_never_signed() -> None:
    bad = GOOD.replace("quorum = 2", "quorum = 3")
    with pytest.raises(BadPolicy):
        seal_policy(bad, *ANN)
    with pytest.raises(BadPolicy):
        sign_policy(seal(POLICY, encode({"text": bad}), [ANN]), *BEN)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        encode(GOOD),
        encode({}),
        encode({"text": GOOD, "more": 1}),
        encode({"text": GOOD.encode()}),
        encode({"text": "#" * (MOST_TEXT + 1)}),
        encode({"text": "# \u00ff"}).replace(b"\xc3\xbf", b"\xff\xff"),
    ],
)
def test_a_well_signed_body_that_is_no_policy_is_refused(body: bytes) -> None:
    with pytest.raises(Refusal):
        read_policy(seal(POLICY, body, [ANN, BEN]))


def test_a_document_of_another_kind_is_no_policy() -> None:
    with pytest.raises(WrongDocument):
        read_policy(seal("request/1", encode({"text": GOOD}), [ANN, BEN]))


def test_every_flipped_bit_of_a_sealed_policys_text_is_refused() -> None:
    sealed = bytearray(sign_policy(seal_policy(GOOD, *ANN), *BEN))
    for place in range(0, len(sealed) * 8, 7):
        sealed[place // 8] ^= 1 << place % 8
        with pytest.raises(Refusal):
            read_policy(bytes(sealed))
        sealed[place // 8] ^= 1 << place % 8
