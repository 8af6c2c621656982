"""Builds unsigned transactions from typed values, for the coordinator. What it returns, `decode` accepts.

It decides nothing: fee, sequence or ticket and the last ledger are the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.chains.xrpl import codec
from shared.chains.xrpl.addresses import decode_address
from shared.chains.xrpl.decode import decode_unsigned, encode
from shared.chains.xrpl.memos import parse_memo_text
from shared.chains.xrpl.model import (
    AccountSetBody,
    Body,
    PaymentBody,
    RegularKeyBody,
    SignerListBody,
    TicketsBody,
    Transaction,
)
from shared.chains.xrpl.networks import network
from shared.chains.xrpl.rules import signable
from shared.chains.xrpl.settings import ACCEPTED
from shared.effects import Destination
from shared.errors import WrongNetwork, XrplSequence, XrplSettingRefused
from shared.money import Amount

_FLAGS = {name: flag for flag, name in ACCEPTED.items()}


@dataclass(frozen=True, slots=True)
class Terms:
    """What every transaction states: who pays, by which key, fee, end, and the sequence *or* ticket it uses.

    `public_key` has 33 bytes (secp256k1), 32 (ed25519; 33 with its prefix ED), or none where several sign.
    """

    network: str
    account: str
    public_key: bytes
    fee_drops: int
    last_ledger: int
    sequence: int | None = None
    ticket: int | None = None
    source_tag: int | None = None


def build_payment(
    terms: Terms, destination: Destination, amount: Amount, invoice_id: bytes | None = None
) -> bytes:
    """Build a payment of XRP; the destination's memo is a canonical text (see `memos.plain_memo`).

    Raises:
        WrongNetwork: for an amount of another asset than the network's XRP.
        XrplRefusal: for what no server or signer would take. BadAddress: for an address that is none.
    """
    if amount.asset != network(terms.network).native:
        raise WrongNetwork(f"{amount.asset} is not the XRP of {terms.network}")
    body = PaymentBody(decode_address(destination.address), destination.tag, amount.units, invoice_id)
    return _build(terms, body, destination.memo)


def build_tickets(terms: Terms, count: int) -> bytes:
    """Build the making of 1 to 250 tickets. Raises XrplRefusal."""
    return _build(terms, TicketsBody(count))


def build_account_set(terms: Terms, *, set_flag: str | None = None, clear_flag: str | None = None) -> bytes:
    """Build the change of account flags by name ("require-dest"); without any it only cancels a ticket.

    Raises:
        XrplSettingRefused: for a name that is not in `settings.ACCEPTED`. XrplRefusal: for other terms
            refused.
    """
    return _build(terms, AccountSetBody(_flag(set_flag), _flag(clear_flag)))


def build_regular_key(terms: Terms, key: str | None) -> bytes:
    """Build the naming of the regular key by its address, or its removal. Raises XrplRefusal, BadAddress."""
    return _build(terms, RegularKeyBody(None if key is None else decode_address(key)))


def build_signer_list(terms: Terms, quorum: int, signers: Sequence[tuple[str, int]]) -> bytes:
    """Build a signer list of addresses and weights, in ascending order; quorum 0 without signers removes it.

    Raises:
        XrplRefusal: for a list that no server takes. BadAddress: for an address that is none.
    """
    entries = sorted((decode_address(address), weight) for address, weight in signers)
    return _build(terms, SignerListBody(quorum, tuple(entries)))


def _build(terms: Terms, body: Body, memo: str | None = None) -> bytes:
    if (terms.sequence is None) == (terms.ticket is None):
        raise XrplSequence("a transaction uses a sequence or a ticket, and not both")
    key = terms.public_key
    transaction = Transaction(
        network=terms.network,
        account=decode_address(terms.account),
        sequence=terms.sequence or 0,
        ticket=terms.ticket,
        fee_drops=terms.fee_drops,
        last_ledger=terms.last_ledger,
        signing_key=b"\xed" + key if len(key) == 32 else key,
        body=body,
        source_tag=terms.source_tag,
        memos=() if memo is None else parse_memo_text(memo),
    )
    unsigned = encode(transaction)
    signable(decode_unsigned(codec.read(unsigned), terms.network), height=0)
    return unsigned


def _flag(name: str | None) -> int | None:
    if name is not None and name not in _FLAGS:
        raise XrplSettingRefused(f"no account flag called {name[:40]!r}")
    return None if name is None else _FLAGS[name]
