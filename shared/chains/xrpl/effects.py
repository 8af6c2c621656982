"""What signing an XRPL transaction would do, from its bytes. Everything it holds shows up somewhere here."""

from __future__ import annotations

from shared.chains.xrpl.addresses import account_of, encode_address
from shared.chains.xrpl.memos import memo_text
from shared.chains.xrpl.model import (
    AccountSetBody,
    PaymentBody,
    RegularKeyBody,
    SignerListBody,
    TicketsBody,
    Transaction,
    Tx,
)
from shared.chains.xrpl.networks import network
from shared.chains.xrpl.settings import ACCEPTED, DISABLE_MASTER
from shared.effects import Claim, Destination, Effects, Expiry, Payment, SettingChange
from shared.money import Amount


def effects(tx: Tx) -> Effects:
    """Say what the transaction does."""
    inner = tx.transaction
    account = encode_address(inner.account)
    kind, payments, settings = _body(inner, account)
    return Effects(
        kind=kind,
        network=inner.network,
        source=account,
        payments=payments,
        fee_payer=account,
        fee_most=_amount(inner, inner.fee_drops),
        settings=settings,
        claims=(_claim(inner, account),),
        expiry=Expiry(tx.last_ledger, tx.height),
        facts=facts(inner) + _signing_facts(tx),
    )


def facts(inner: Transaction) -> tuple[str, ...]:
    """Give what a person must read beyond payments and settings."""
    lines = []
    body = inner.body
    if body == AccountSetBody():
        lines.append("changes nothing, and uses up its sequence or ticket")
    if inner.source_tag is not None:
        lines.append(f"source tag {inner.source_tag}")
    if isinstance(body, PaymentBody) and body.invoice_id is not None:
        lines.append(f"invoice id {body.invoice_id.hex()}")
    if inner.memos and not isinstance(body, PaymentBody):
        lines.append(f"memo {memo_text(inner.memos)}")
    if inner.flags is not None:
        lines.append(f"transaction flags {inner.flags:#010x}")
    return tuple(lines)


def destination(inner: Transaction, body: PaymentBody) -> Destination:
    """Give where a payment goes, its memo in canonical text."""
    return Destination(
        encode_address(body.destination), body.tag, memo_text(inner.memos) if inner.memos else None
    )


def settings_of(inner: Transaction) -> tuple[SettingChange, ...]:
    """Give the settings that a transaction changes."""
    return _body(inner, encode_address(inner.account))[2]


def _body(inner: Transaction, account: str) -> tuple[str, tuple[Payment, ...], tuple[SettingChange, ...]]:
    match inner.body:
        case PaymentBody() as body:
            return "payment", (Payment(account, destination(inner, body), _amount(inner, body.drops)),), ()
        case TicketsBody(count):
            return "tickets", (), (_tickets(account, count),)
        case AccountSetBody(set_flag, clear_flag):
            flags = ((set_flag, True), (clear_flag, False))
            return (
                "account-set",
                (),
                tuple(_flag(account, flag, on=on) for flag, on in flags if flag is not None),
            )
        case RegularKeyBody(key):
            return "regular-key", (), (_regular_key(account, key),)
        case body:
            return "signer-list", (), (_signer_list(account, body),)


def _tickets(account: str, count: int) -> SettingChange:
    noun = "ticket" if count == 1 else "tickets"
    return SettingChange(account, "tickets", f"creates {count} {noun} ({count} x owner reserve)")


def _flag(account: str, flag: int, *, on: bool) -> SettingChange:
    name = f"{ACCEPTED[flag]} {'on' if on else 'off'}"
    if flag != DISABLE_MASTER:
        return SettingChange(account, name, f"account flag {name}")
    detail = "the master key may no longer sign" if on else "the master key may sign again"
    return SettingChange(account, name, detail, who_may_sign=True, keys=() if on else (account,))


def _regular_key(account: str, key: bytes | None) -> SettingChange:
    if key is None:
        return SettingChange(account, "regular-key", "removes the regular key", who_may_sign=True)
    address = encode_address(key)
    return SettingChange(
        account, "regular-key", f"the key of {address} may sign", who_may_sign=True, keys=(address,)
    )


def _signer_list(account: str, body: SignerListBody) -> SettingChange:
    if not body.entries:
        return SettingChange(account, "signer-list", "removes the signer list", who_may_sign=True)
    signers = [(encode_address(signer), weight) for signer, weight in body.entries]
    listed = ", ".join(f"{address} weight {weight}" for address, weight in signers)
    total = sum(weight for _, weight in signers)
    detail = f"quorum {body.quorum} of total weight {total}: {listed}"
    keys = tuple(address for address, _ in signers)
    return SettingChange(account, "signer-list", detail, who_may_sign=True, keys=keys)


def _claim(inner: Transaction, account: str) -> Claim:
    name = f"sequence {inner.sequence}" if inner.ticket is None else f"ticket {inner.ticket}"
    return Claim(f"{inner.network}/{account}", name)


def _amount(inner: Transaction, drops: int) -> Amount:
    return Amount(network(inner.network).native, drops)


def _signing_facts(tx: Tx) -> tuple[str, ...]:
    owner = tx.signer or tx.transaction.account
    lines = []
    if tx.signer is not None:
        lines.append(f"one of several signatures, for signer {encode_address(tx.signer)}")
    holder = account_of(tx.public_key)
    if holder != owner:
        lines.append(f"signed with the regular key {encode_address(holder)}")
    return tuple(lines)
