"""The devnet against xrpld's own verdicts: each recorded blob is submitted to a world in its case's state.

The accounts of a case stand in the world with the sequence, tickets, keys and flags that its name describes;
then the provisional answer, its message, and the result after the close must be those that xrpld gave.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from online.devnet.xrpl import XrplWorld
from online.devnet.xrpl.hashes import transaction_id
from online.devnet.xrpl.results import MESSAGES
from online.devnet.xrpl.transaction import NotATransaction
from tests.shared_vectors import cases, name_of

ROWS = cases("xrpl.json", "xrpld_verdict")
BY_NAME = {row["name"]: row for row in ROWS}

RICH = 10_000_000_000
REQUIRE_DEST, DISABLE_MASTER, DEPOSIT_AUTH = 0x00020000, 0x00100000, 0x01000000

NOT_MODELLED = {
    "partial payment Amount 900 XRP": "it is paid out of tokens; the world has none",
}


@dataclass(frozen=True)
class Given:
    """The state before a blob: the sender's, others', the destination's if it exists, what came before."""

    sender: dict[str, Any] = field(default_factory=dict)
    others: dict[str, dict[str, Any]] = field(default_factory=dict)
    destination: dict[str, Any] | None = field(default_factory=dict)
    before: str | None = None


def three_signers() -> dict[str, Any]:
    """Give the list of the case that set it, which the cases after it sign by."""
    entries = BY_NAME["SignerListSet 3 entries quorum 2"]["tx_json"]["SignerEntries"]
    return {"quorum": 2, "signers": {e["SignerEntry"]["Account"]: 1 for e in entries}}


def two_signers() -> dict[str, Any]:
    """Give a list of the two who sign in the cases about a signer's regular key."""
    signers = BY_NAME["signer signs with its master key"]["tx_json"]["Signers"]
    return {"quorum": 2, "signers": {s["Signer"]["Account"]: 1 for s in signers}}


SIGNER, REGULAR = "r36Cr1GsVvS63SxC7opjGp8WXpysLLrYqZ", "rs4YAMs2mGLAyTcqiNkNs8znbV3hGgLJPe"
PAYER = "rxZZHrP9o8eVcKBJgYy2SURD42z2zetkx"
STRIPPED = ("three signatures collected where the quorum is 2, one stripped by a third party: valid, under "
            "another hash")


def givens() -> dict[str, Given]:
    """Name the states that differ from a rich sender paying a rich destination with the next sequence."""
    tickets = {"sequence": 16, "tickets": (13, 14, 15)}
    used = {"sequence": 16, "tickets": (13, 14)}
    listed, by_key = Given(three_signers()), Given({"regular_key": REGULAR})
    signers = Given(two_signers(), {SIGNER: {"regular_key": regular_key_of_signer()}})
    required = Given(destination={"flags": REQUIRE_DEST})
    disabled = Given({"regular_key": REGULAR, "flags": DISABLE_MASTER})
    again = "blob of a {}transaction that was already applied, submitted a second time"
    return {
        "create account with exactly 1 XRP": Given(destination=None),
        again.format(""): Given(before=again.format("")),
        "send balance - reserve + 1 drop": Given({"drops": 20_000_000}),
        "send exactly balance - reserve (fee then comes out of the reserve)": Given({"drops": 19_999_990}),
        "the highest of three tickets used first": Given(tickets),
        "a ticket already used, in another transaction": Given(used),
        again.format("ticketed "): Given(tickets, before=again.format("ticketed ")),
        "Sequence 0 without ticket": Given(used),
        "ticket never created (future)": Given(used),
        "ticket number that was a sequence": Given(used),
        "ticket + AccountTxnID": Given(used),
        "ticketed payment that ends in tec (the ticket is consumed)": Given(used, destination=None),
        "cancel a ticket with a no-op AccountSet": Given({"sequence": 16, "tickets": (14,)}),
        "TicketCreate 1 using a ticket at 250": Given({"sequence": 268, "tickets": tuple(range(17, 267))}),
        "2 of 3 signers (secp256k1 and ed25519), Fee 3 x base": listed,
        "below quorum": listed, "same signer twice": listed, "quorum met but one stranger added": listed,
        "owner among the signers": listed, "SigningPubKey not empty": listed,
        "two signatures swapped": listed,
        "SourceTag inside a Signer object (what an X-address signer with a tag produces)": listed,
        STRIPPED: listed,
        "the original three-signature blob after its stripped copy was applied": Given(
            three_signers(), before=STRIPPED),
        "signer signs with its regular key": signers, "signer signs with its master key": signers,
        "signer entry with a wrong key": signers,
        "payment signed with a key that is neither master nor regular": by_key,
        "disable master signed by regular key": by_key, "disable master signed by master": by_key,
        "payment signed with the disabled master key": disabled,
        "remove the only remaining key": disabled,
        "re-enable master with the regular key": disabled,
        "payment without tag to an account with RequireDest": required,
        "payment with tag 0 to an account with RequireDest": required,
        "payment with tag 2^32-1 to an account with RequireDest": required,
        "pay a DepositAuth account": Given(destination={"flags": DEPOSIT_AUTH}),
        "a DepositAuth account pre-authorises the payer": Given({"flags": DEPOSIT_AUTH}, {PAYER: {}}),
        "AccountDelete too soon (fee 0.2 XRP)": required,
        "AccountDelete to RequireDest without tag": required,
    }


def regular_key_of_signer() -> str:
    """Give the address of the key with which the signer signs in the case that names its regular key."""
    from xrpl.core.keypairs import derive_classic_address
    signers = BY_NAME["signer signs with its regular key"]["tx_json"]["Signers"]
    key = next(s["Signer"]["SigningPubKey"] for s in signers if s["Signer"]["Account"] == SIGNER)
    return str(derive_classic_address(key))


def world_for(row: dict[str, Any], given: Given) -> XrplWorld:
    """Build the world that a case describes, its open ledger numbered as it was."""
    back = 2 if given.before is None else 3
    world = XrplWorld(network_id=0, first_index=row["open_ledger"] - back + 1, clock=lambda: 1_800_000_000)
    fields = row["tx_json"] or {}
    for address, settings in given.others.items():
        world.put_account(address, RICH, 5, **settings)
    if "Destination" in fields and given.destination is not None:
        world.put_account(fields["Destination"], RICH, 5, **given.destination)
    if fields:
        settings = {"drops": RICH, "sequence": fields["Sequence"], **given.sender}
        world.put_account(fields["Account"], **settings)
    return world


@pytest.mark.parametrize("row", [row for row in ROWS if row["name"] not in NOT_MODELLED], ids=name_of)
def test_the_world_says_and_does_what_xrpld_said_and_did(row: dict[str, Any]) -> None:
    given = givens().get(row["name"], Given())
    world, blob = world_for(row, given), bytes.fromhex(row["tx_blob"])
    if given.before is not None:
        world.submit(bytes.fromhex(BY_NAME[given.before]["tx_blob"]))
        world.close()
    assert world.open_index == row["open_ledger"]

    try:
        provisional = world.submit(blob).result
        message = MESSAGES[provisional]
    except NotATransaction as problem:
        provisional, message = "invalidTransaction", str(problem)
    world.close()

    record = world.history.record(transaction_id(blob))
    final = None if record is None else record.meta["TransactionResult"]
    expected = None if row["final"] == "txnNotFound" else row["final"]
    assert (provisional, message, final) == (row["provisional"], row["message"], expected)


def test_every_case_left_out_is_named_with_its_reason() -> None:
    assert not ROWS or set(NOT_MODELLED) <= set(BY_NAME)
