"""Who may sign for an account: master key, regular key, or a quorum of its signer list.

Whether the signatures themselves are good is another file's question: `signatures.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from online.devnet.xrpl.hashes import address_of_key, signers_key
from online.devnet.xrpl.results import SUCCESS
from online.devnet.xrpl.state import DISABLE_MASTER, Sandbox
from online.devnet.xrpl.work import Work


def check_authority(work: Work, *, dry_run: bool) -> str:
    """Say whether the keys that signed may sign for the account; a dry run may leave keys out."""
    key = work.tx.fields["SigningPubKey"]
    if not key and "Signers" in work.tx.fields:
        return _check_quorum(work, dry_run=dry_run)
    if not key and dry_run:
        return SUCCESS
    return _check_single(work, address_of_key(key))


def _check_single(work: Work, signer: str) -> str:
    entry = work.view.must_have(work.tx.account)
    if entry.get("RegularKey") == signer:
        return SUCCESS
    if signer != work.tx.account:
        return "tefBAD_AUTH"
    return "tefMASTER_DISABLED" if entry["Flags"] & DISABLE_MASTER else SUCCESS


def _check_quorum(work: Work, *, dry_run: bool) -> str:
    listed = work.view.read(signers_key(work.tx.account))
    if listed is None:
        return "tefNOT_MULTI_SIGNING"
    weights = {item["SignerEntry"]["Account"]: item["SignerEntry"]["SignerWeight"]
               for item in listed["SignerEntries"]}
    total = 0
    for signer in work.tx.signers:
        if signer["Account"] not in weights:
            return "tefBAD_SIGNATURE"
        verdict = _check_signer(work.view, signer, dry_run=dry_run)
        if verdict != SUCCESS:
            return verdict
        total += weights[signer["Account"]]
    return SUCCESS if total >= listed["SignerQuorum"] else "tefBAD_QUORUM"


def _check_signer(view: Sandbox, signer: Mapping[str, Any], *, dry_run: bool) -> str:
    if dry_run and not signer["SigningPubKey"]:
        return SUCCESS
    entry = view.account(signer["Account"])
    by_key = address_of_key(signer["SigningPubKey"])
    if by_key == signer["Account"]:
        disabled = entry is not None and entry["Flags"] & DISABLE_MASTER
        return "tefMASTER_DISABLED" if disabled else SUCCESS
    # Another key than the master's must be the regular key of an account that exists.
    if entry is None or entry.get("RegularKey") != by_key:
        return "tefBAD_SIGNATURE"
    return SUCCESS
