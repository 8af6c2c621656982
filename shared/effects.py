"""Effects: what signing a transaction would do, in one form for every chain.

A chain decodes them from the bytes that get signed and from nothing else; policy, review, journal and books read
them and never the chain's own transaction.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.money import Amount


@dataclass(frozen=True, slots=True, order=True)
class Destination:
    """Where a payment goes: an address with its tag or memo. Tag 0 is a real tag; None is no tag."""

    address: str
    tag: int | None = None
    memo: str | None = None

    def __str__(self) -> str:
        tag = "" if self.tag is None else f" tag {self.tag}"
        memo = "" if self.memo is None else f" memo {self.memo}"
        return f"{self.address}{tag}{memo}"


@dataclass(frozen=True, slots=True)
class Payment:
    """A movement of an amount from a source address to a destination."""

    source: str
    destination: Destination
    amount: Amount


@dataclass(frozen=True, slots=True)
class SettingChange:
    """A change of an account: `what` is a stable kind such as "tickets" or "signer-list", `detail` is what people read.

    `who_may_sign` is set for changes of the right to sign; `keys` are then the addresses or keys that gain it, `lost`
    those that lose it where the bytes name them.
    """

    account: str
    what: str
    detail: str
    who_may_sign: bool = False
    keys: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """What a transaction uses up and no other may: `scope` an account or key, `name` such as "ticket 17"."""

    scope: str
    name: str

    def __str__(self) -> str:
        return f"{self.scope} {self.name}"


@dataclass(frozen=True, slots=True)
class Expiry:
    """The last height of the ledger at which the transaction can happen, and the height the coordinator stated."""

    last_height: int
    stated_height: int


@dataclass(frozen=True, slots=True)
class OwnedKey:
    """A key that a transaction claims to be the signer's own, such as that of its change: checked by derivation."""

    path: tuple[int, ...]
    curve: str
    public_key: bytes


@dataclass(frozen=True, slots=True)
class Effects:
    """All that one transaction does. `kind` is the stable name that policy allows or forbids, such as "payment".

    `fee_most` is the greatest fee that can be lost, paid by `fee_payer`. A transaction without an expiry has None.
    `facts` are further lines that a person must read, from the signed bytes alone. `sworn` holds values that the
    coordinator stated and the signatures cover, each by the name of what has it (an outpoint), in base units.
    `owned` are keys that the signer must derive itself before it believes what the transaction keeps. `dangers` are
    stable names of what only the policy can know to be harmless. `vbytes` is the size that a fee rate counts, else 0.
    """

    kind: str
    network: str
    source: str
    payments: tuple[Payment, ...]
    fee_payer: str
    fee_most: Amount
    settings: tuple[SettingChange, ...]
    claims: tuple[Claim, ...]
    expiry: Expiry | None
    facts: tuple[str, ...] = ()
    sworn: tuple[tuple[str, int], ...] = ()
    owned: tuple[OwnedKey, ...] = ()
    dangers: tuple[str, ...] = ()
    vbytes: int = 0
