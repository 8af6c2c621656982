"""What NEAR's tests share: a key, terms, one request of each kind, and transactions drawn by lot."""

from __future__ import annotations

import random
from dataclasses import replace
from hashlib import sha256

from nacl.signing import SigningKey

from shared.chains.near import NEAR
from shared.chains.near.build import (
    DelegateTerms,
    Terms,
    lanes,
    payment,
    registration,
    rotation,
    token_call,
    token_transfer,
)
from shared.chains.near.model import (
    Action,
    AddKey,
    Delegate,
    DeleteKey,
    FunctionCall,
    Transaction,
    Transfer,
    Tx,
)
from shared.effects import Destination, Effects
from shared.money import Amount

NETWORK = "near:localnet"
COIN = NEAR.network(NETWORK).native
USDT, WRAP = "usdt.tether-token.near", "wrap.near"
REGISTER = {USDT: 6, WRAP: 24}
PATH = NEAR.key_path(NETWORK, "ed25519", 0, 0)
HEIGHT, VALIDITY = 100_000_000, 86_400
CONTEXT = {"height": HEIGHT, "validity": VALIDITY}
DELEGATED = {"height": HEIGHT}

SECRET = SigningKey(sha256(b"a key of NEAR's tests").digest())
KEY = SECRET.verify_key.encode()
ME = KEY.hex()
OTHERS = tuple(SigningKey(sha256(bytes([n])).digest()).verify_key.encode() for n in range(4))
IMPLICIT = OTHERS[3].hex()
BLOCK = sha256(b"a block").digest()

TERMS = Terms(NETWORK, ME, KEY, 99_000_000_000_007, BLOCK)
RELAYED = DelegateTerms(NETWORK, ME, KEY, 99_000_000_000_007, HEIGHT + 600_000)


def near(yocto: int) -> Amount:
    return Amount(COIN, yocto)


def kinds() -> dict[str, bytes]:
    """Give the unsigned bytes of one request of each kind, by the kind's name."""
    bob, carol = Destination("bob.near", memo="invoice 7"), Destination(IMPLICIT)
    return {
        "payment": payment(TERMS, Destination("bob.near"), near(12 * 10**23)),
        "nep141-transfer": token_transfer(
            TERMS, USDT, [(bob, 1_500_000), (carol, 7)], [(IMPLICIT, 1_250 * 10**18)]
        ),
        "nep141-call": token_call(TERMS, WRAP, Destination("dex.near", memo="deposit"), 10**24, '{"pool":5}'),
        "nep141-register": registration(TERMS, USDT, [("bob.near", 1_250 * 10**18), (ME, 1)]),
        "near-lanes": lanes(TERMS, OTHERS[:2]),
        "near-rotate": rotation(TERMS, OTHERS[:2], [KEY]),
        "nep366-transfer": token_transfer(RELAYED, USDT, [(bob, 1_500_000), (carol, 7)]),
        "nep366-rotate": rotation(RELAYED, [OTHERS[0]], [KEY, OTHERS[1]]),
    }


def context_of(kind: str) -> dict[str, int]:
    return DELEGATED if kind.startswith("nep366") else CONTEXT


def decoded(unsigned: bytes, context: dict[str, int] | None = None, network: str = NETWORK) -> Tx:
    tx: Tx = NEAR.decode(unsigned, context or CONTEXT, [PATH], network)
    return tx


def effects_of(kind: str, unsigned: bytes | None = None) -> Effects:
    return NEAR.effects(decoded(unsigned or kinds()[kind], context_of(kind)), REGISTER)


def transaction(*actions: Action, **changes: object) -> Transaction:
    """Give a transaction to bob.near with the house's terms and what a test changes in them."""
    plain = Transaction(ME, KEY, TERMS.nonce, "bob.near", BLOCK, actions)
    return replace(plain, **changes)  # type: ignore[arg-type]


def delegate(*actions: Action, **changes: object) -> Delegate:
    plain = Delegate(ME, USDT, actions, TERMS.nonce, RELAYED.max_block_height, KEY)
    return replace(plain, **changes)  # type: ignore[arg-type]


# --- drawn by lot -----------------------------------------------------------------------------------


def drawn_account(lots: random.Random) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    if lots.random() < 0.3:
        return lots.randbytes(32).hex()
    if lots.random() < 0.1:
        return lots.choice(("0x", "0s")) + lots.randbytes(20).hex()
    parts = ["".join(lots.choices(letters, k=lots.randint(2, 9))) for _ in range(lots.randint(1, 5))]
    return "".join(part + lots.choice(".-_") for part in parts)[:-1]


def drawn_number(lots: random.Random, bits: int) -> int:
    return lots.choice((0, 1, 2**bits - 1, lots.getrandbits(lots.randint(1, bits))))


def drawn_action(lots: random.Random) -> Action:
    match lots.randrange(4):
        case 0:
            return Transfer(drawn_number(lots, 128))
        case 1:
            method = "".join(lots.choices("abcdefghijklmnop_é漢", k=lots.randint(1, 20)))
            args = lots.randbytes(lots.choice((0, 1, 40, 300)))
            return FunctionCall(method, args, drawn_number(lots, 64), drawn_number(lots, 128))
        case 2:
            return AddKey(lots.randbytes(32), drawn_number(lots, 64))
        case _:
            return DeleteKey(lots.randbytes(32))


def drawn_transaction(lots: random.Random) -> Transaction:
    actions = tuple(drawn_action(lots) for _ in range(lots.choice((1, 1, 1, 2, 5, 20))))
    return Transaction(
        signer=drawn_account(lots),
        public_key=lots.randbytes(32),
        nonce=drawn_number(lots, 64),
        receiver=drawn_account(lots),
        block_hash=lots.randbytes(32),
        actions=actions,
    )


def drawn_delegate(lots: random.Random) -> Delegate:
    one = drawn_transaction(lots)
    return Delegate(one.signer, one.receiver, one.actions, one.nonce, drawn_number(lots, 64), one.public_key)
