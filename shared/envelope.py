"""What crosses the gap: requests one way, answers the other, approvals and wallet cards beside them.

Each is a canonical CBOR body inside a sealed document (`shared.sealed`), signed by its sender's Ed25519 key. A request
holds ledger-native bytes, ids, key paths and the chain's context, and never says what a transaction means; an answer
holds signatures and the signer's checkpoint, never a transaction. Whatever is read here is complete or refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from shared import chains
from shared.chains.api import Context, Curve, KeyPath
from shared.columns import join_columns, split_columns
from shared.encoding import Fields, Value, decode, encode
from shared.errors import BadField
from shared.hdkeys import PublicNode
from shared.people import check_name
from shared.sealed import Sealed, Sign, open_sealed, seal

REQUEST: Final = "request/1"
ANSWER: Final = "answer/1"
APPROVAL: Final = "approval/1"
CARD: Final = "card/1"

MOST_ITEMS: Final = 2_000
MOST_TRANSFERS: Final = 10_000
MOST_KEYS: Final = 2_000
MOST_REASON: Final = 200
MOST_CARD_KEYS: Final = 10_000


@dataclass(frozen=True, slots=True)
class SeenLog:
    """The newest state of a signer's journal that somebody saw: its size in entries and its Merkle root (32 bytes).

    Nobody has seen anything yet: size 0 and 32 zero bytes.
    """

    size: int
    root: bytes


NOTHING_SEEN: Final = SeenLog(0, bytes(32))


@dataclass(frozen=True, slots=True)
class TransferRef:
    """Which line of which order a payment carries out. The order's id is 16 bytes (`order_id`)."""

    order: bytes
    line: int

    @property
    def transfer_id(self) -> bytes:
        """Give the transfer's id: 16 bytes, made once from the order and the line, and never reused."""
        return hashlib.sha256(b"lockgate/transfer\0" + self.order + self.line.to_bytes(4, "big")).digest()[:16]


@dataclass(frozen=True, slots=True)
class Item:
    """One unsigned transaction: its bytes, the paths of the keys that sign it, and a reference for each payment.

    `context` is what is stated for this transaction beside what its lot states for all of them.
    """

    unsigned: bytes
    keys: tuple[KeyPath, ...]
    transfers: tuple[TransferRef, ...]
    context: Context = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lot:
    """Transactions of one network, and the context that is stated for all of them."""

    network: str
    context: Context
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """Unsigned transactions for one signer, from one coordinator.

    `station` and `signer` are Ed25519 public keys (32 bytes), `created` is Unix seconds as the coordinator states
    them, `seen` is the newest state of the signer's journal that the coordinator knows.
    """

    station: bytes
    signer: bytes
    created: int
    seen: SeenLog
    lots: tuple[Lot, ...]

    def flat(self) -> tuple[tuple[Lot, Item], ...]:
        """Give all items in order, each with its lot; positions in answers and approvals count along this."""
        return tuple((lot, item) for lot in self.lots for item in lot.items)


@dataclass(frozen=True, slots=True)
class Declined:
    """A transaction of a request that a person declined: its position, and why in their words."""

    position: int
    reason: str


@dataclass(frozen=True, slots=True)
class SigningAnswer:
    """A signer's answer: raw 64-byte signatures in the order of the items that were not declined.

    `request` is the request's digest (32 bytes), `checkpoint` the signed note of the signer's journal and `consistency`
    the RFC 6962 proof (32-byte hashes) from the state that the request had seen.
    """

    request: bytes
    signatures: tuple[bytes, ...]
    declined: tuple[Declined, ...]
    checkpoint: str
    consistency: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's word on a request: approved but for the declined, having seen this state of the signer's journal."""

    request: bytes
    declined: tuple[Declined, ...]
    seen: SeenLog


@dataclass(frozen=True, slots=True)
class WalletCard:
    """The public half of a wallet: what a coordinator needs to watch it and to ask for signatures.

    Where the curve derives publicly, `xpub` is the extended key of `path` (33 bytes of key and 32 of chain code) and
    addresses are its children 0/i; else `keys` are public keys numbered from 0, which later cards extend. `form` is
    the chain's name for the form of its addresses, empty for its usual one.
    """

    signer: bytes
    wallet: str
    network: str
    tier: str
    curve: Curve
    account: int
    xpub: bytes
    keys: tuple[bytes, ...]
    form: str = ""


def context_of(lot: Lot, item: Item) -> Context:
    """Give all that is stated for one transaction."""
    return {**lot.context, **item.context}


def order_id(idempotency_key: str) -> bytes:
    """Give the id (16 bytes) of the order that a caller's idempotency key names, the same one every time."""
    return hashlib.sha256(b"lockgate/order\0" + idempotency_key.encode()).digest()[:16]


def card_keys(card: WalletCard, count: int, branch: int = 0) -> tuple[bytes, ...]:
    """Give a wallet's first public keys (33 or 32 bytes), derived or as the card numbers them.

    Branch 1 is where wallets of other makers take their change to (BIP44); numbered keys have none.

    Raises:
        BadKey: if the card's extended key is none.
    """
    if not card.xpub:
        return () if branch else card.keys[:count]
    node = PublicNode(card.xpub[:33], card.xpub[33:]).child(branch)
    return tuple(node.child(index).public_key for index in range(count))


def card_addresses(card: WalletCard, count: int, branch: int = 0) -> tuple[str, ...]:
    """Give the addresses of a wallet's first keys."""
    chain, keys = chains.chain(card.network), card_keys(card, count, branch)
    return tuple(chain.address(key, card.curve, card.network, card.form) for key in keys)


# --- sealing ---------------------------------------------------------------------------------------


def seal_request(request: SigningRequest, sign: Sign) -> bytes:
    """Write and sign a request with the coordinator's station key."""
    return seal(REQUEST, encode(_request_value(request)), [(request.station, sign)])


def seal_answer(answer: SigningAnswer, signer: bytes, sign: Sign) -> bytes:
    """Write and sign an answer with the signer's station key."""
    return seal(ANSWER, encode(_answer_value(answer)), [(signer, sign)])


def seal_approval(approval: Approval, person: bytes, sign: Sign) -> bytes:
    """Write and sign an approval with a person's key."""
    body: Value = {
        "request": approval.request,
        "declined": _declined_value(approval.declined),
        "seen": _seen_value(approval.seen),
    }
    return seal(APPROVAL, encode(body), [(person, sign)])


def seal_card(card: WalletCard, sign: Sign) -> bytes:
    """Write and sign a wallet card with the signer's station key."""
    body: Value = {
        "signer": card.signer,
        "wallet": card.wallet,
        "network": card.network,
        "tier": card.tier,
        "curve": card.curve,
        "account": card.account,
        "xpub": card.xpub,
        "keys": list(card.keys),
        "form": card.form,
    }
    return seal(CARD, encode(body), [(card.signer, sign)])


# --- opening ---------------------------------------------------------------------------------------


def open_request(blob: bytes) -> tuple[SigningRequest, Sealed]:
    """Read a request and verify that its station signed it. Whether that station is known is policy.

    Raises:
        BadEncoding, BadField, BadSeal: for anything that is not exactly a signed request.
    """
    sealed = open_sealed(blob, REQUEST)
    fields = Fields(decode(sealed.body), "request")
    request = SigningRequest(
        station=fields.bytes("station", exactly=32),
        signer=fields.bytes("signer", exactly=32),
        created=fields.number("created", 0, 2**40),
        seen=_read_seen(fields.list("seen", least=2, most=2)),
        lots=_read_lots(fields.list("orders", most=MOST_TRANSFERS), fields.list("lots", least=1, most=16)),
    )
    fields.close()
    _only_signer(sealed, request.station)
    if not 1 <= sum(len(lot.items) for lot in request.lots) <= MOST_ITEMS:
        raise BadField(f"a request holds 1 to {MOST_ITEMS} transactions")
    return request, _canonical(sealed, _request_value(request))


def open_answer(blob: bytes) -> tuple[SigningAnswer, Sealed]:
    """Read an answer and verify its one signature; compare `Sealed.signers` with the signer that was asked.

    Raises:
        BadEncoding, BadField, BadSeal: for anything that is not exactly a signed answer.
    """
    sealed = open_sealed(blob, ANSWER)
    fields = Fields(decode(sealed.body), "answer")
    joined = fields.bytes("signatures", most=64 * 4 * MOST_ITEMS)
    if len(joined) % 64:
        raise BadField("signatures are 64 bytes each")
    answer = SigningAnswer(
        request=fields.bytes("request", exactly=32),
        signatures=tuple(joined[at : at + 64] for at in range(0, len(joined), 64)),
        declined=_read_declined(fields.list("declined", most=MOST_ITEMS)),
        checkpoint=fields.text("checkpoint", most=1_000),
        consistency=tuple(_bytes(hash_, 32) for hash_ in fields.list("consistency", most=64)),
    )
    fields.close()
    return answer, _one_signer(sealed)


def open_approval(blob: bytes) -> tuple[Approval, Sealed]:
    """Read an approval and verify its one signature; whether that person may approve is policy.

    Raises:
        BadEncoding, BadField, BadSeal: for anything that is not exactly a signed approval.
    """
    sealed = open_sealed(blob, APPROVAL)
    fields = Fields(decode(sealed.body), "approval")
    approval = Approval(
        request=fields.bytes("request", exactly=32),
        declined=_read_declined(fields.list("declined", most=MOST_ITEMS)),
        seen=_read_seen(fields.list("seen", least=2, most=2)),
    )
    fields.close()
    return approval, _one_signer(sealed)


def open_card(blob: bytes) -> tuple[WalletCard, Sealed]:
    """Read a wallet card and verify that its signer signed it. Whether that signer is known is for the caller.

    Raises:
        BadEncoding, BadField, BadSeal: for anything that is not exactly a signed card.
    """
    sealed = open_sealed(blob, CARD)
    fields = Fields(decode(sealed.body), "card")
    curve: Curve = "secp256k1" if fields.choice("curve", ("ed25519", "secp256k1")) == "secp256k1" else "ed25519"
    width = 33 if curve == "secp256k1" else 32
    card = WalletCard(
        signer=fields.bytes("signer", exactly=32),
        wallet=check_name(fields.text("wallet", most=32)),
        network=fields.text("network", most=40),
        tier=fields.choice("tier", ("hot", "warm", "cold")),
        curve=curve,
        account=fields.number("account", 0, 2**31 - 1),
        xpub=fields.bytes("xpub", most=65),
        keys=tuple(_bytes(key, width) for key in fields.list("keys", most=MOST_CARD_KEYS)),
        form=fields.text("form", most=16),
    )
    fields.close()
    _only_signer(sealed, card.signer)
    if len(card.xpub) not in (0, 65) or bool(card.xpub) == bool(card.keys):
        raise BadField("a card holds either an extended key or numbered keys")
    if card.xpub and curve == "ed25519":
        raise BadField("keys on ed25519 are not derived publicly; the card numbers them")
    return card, sealed


# --- values ----------------------------------------------------------------------------------------


def _request_value(request: SigningRequest) -> Value:
    refs = [ref.order for _, item in request.flat() for ref in item.transfers]
    orders = list(dict.fromkeys(refs))
    places = {order: place for place, order in enumerate(orders)}
    return {
        "station": request.station,
        "signer": request.signer,
        "created": request.created,
        "seen": _seen_value(request.seen),
        "orders": orders,
        "lots": [_lot_value(lot, places) for lot in request.lots],
    }


def _lot_value(lot: Lot, places: Mapping[bytes, int]) -> Value:
    """Write a lot. What is alike in its transactions stands side by side, where zlib finds it (docs/adr/003)."""
    contexts = [dict(item.context) for item in lot.items]
    return {
        **({"contexts": contexts} if any(contexts) else {}),
        "network": lot.network,
        "context": dict(lot.context),
        "lengths": [len(item.unsigned) for item in lot.items],
        "unsigned": join_columns([item.unsigned for item in lot.items]),
        "keys": [[list(path) for path in item.keys] for item in lot.items],
        "transfers": [[number for ref in item.transfers for number in (places[ref.order], ref.line)]
                      for item in lot.items],
    }


def _answer_value(answer: SigningAnswer) -> Value:
    return {
        "request": answer.request,
        "signatures": b"".join(answer.signatures),
        "declined": _declined_value(answer.declined),
        "checkpoint": answer.checkpoint,
        "consistency": list(answer.consistency),
    }


def _seen_value(seen: SeenLog) -> Value:
    return [seen.size, seen.root]


def _declined_value(declined: Sequence[Declined]) -> Value:
    return [[one.position, one.reason] for one in declined]


def _read_lots(orders: Sequence[Value], lots: Sequence[Value]) -> tuple[Lot, ...]:
    ids = [_bytes(order, 16) for order in orders]
    return tuple(_read_lot(Fields(lot, "lot"), ids) for lot in lots)


def _read_lot(fields: Fields, orders: Sequence[bytes]) -> Lot:
    lengths = [_number(one, 100_000) for one in fields.list("lengths", least=1, most=MOST_ITEMS)]
    blobs = split_columns(fields.bytes("unsigned", most=16_000_000), lengths)
    keys = fields.list("keys", least=len(blobs), most=len(blobs))
    transfers = fields.list("transfers", least=len(blobs), most=len(blobs))
    if sum(len(refs) for refs in transfers if isinstance(refs, list)) > 2 * MOST_TRANSFERS:
        raise BadField(f"transactions of one network carry out at most {MOST_TRANSFERS} transfers")
    common = _read_context(fields.value("context"))
    contexts = fields.optional_list("contexts", least=len(blobs), most=len(blobs)) or [{}] * len(blobs)
    items = tuple(
        Item(blob, _read_paths(paths), _read_refs(refs, orders), _read_own_context(context, common))
        for blob, paths, refs, context in zip(blobs, keys, transfers, contexts, strict=True)
    )
    lot = Lot(fields.text("network", most=40), common, items)
    fields.close()
    return lot


def _read_own_context(context: Value, common: Context) -> Context:
    own = _read_context(context)
    if own.keys() & common.keys():
        raise BadField("a transaction states again what its lot states")
    return own


def _read_context(context: Value) -> Context:
    if not isinstance(context, dict):
        raise BadField("a context is a map")
    plain: dict[str, int | str | bytes | bool | None] = {}
    for name, value in context.items():
        if value is not None and not isinstance(value, (int, str, bytes, bool)):
            raise BadField(f"context {name!r} is not a plain value")
        plain[name] = value
    return plain


def _read_paths(value: Value) -> tuple[KeyPath, ...]:
    return tuple(tuple(_number(step, 2**32 - 1) for step in _list(path, 10)) for path in _list(value, MOST_KEYS))


def _read_refs(value: Value, orders: Sequence[bytes]) -> tuple[TransferRef, ...]:
    numbers = [_number(one, 2**32 - 1) for one in _list(value, 2 * MOST_TRANSFERS)]
    if len(numbers) % 2 or any(place >= len(orders) for place in numbers[::2]):
        raise BadField("a transfer names an order of the request and a line")
    return tuple(TransferRef(orders[place], line) for place, line in zip(numbers[::2], numbers[1::2], strict=True))


def _read_seen(value: Sequence[Value]) -> SeenLog:
    seen = SeenLog(_number(value[0], 2**48), _bytes(value[1], 32))
    if (seen.size == 0) != (seen.root == NOTHING_SEEN.root):
        raise BadField("an empty journal has no root, and every other has one")
    return seen


def _read_declined(value: Sequence[Value]) -> tuple[Declined, ...]:
    declined = tuple(_read_one_declined(_list(one, 2)) for one in value)
    positions = [one.position for one in declined]
    if sorted(set(positions)) != positions:
        raise BadField("declined transactions stand in order, each once")
    return declined


def _read_one_declined(value: Sequence[Value]) -> Declined:
    if len(value) != 2 or not isinstance(value[1], str) or not 0 < len(value[1]) <= MOST_REASON:
        raise BadField(f"a declined transaction has a position and a reason of at most {MOST_REASON} characters")
    return Declined(_number(value[0], MOST_ITEMS), value[1])


def _canonical(sealed: Sealed, value: Value) -> Sealed:
    """Refuse a body that says the same in another way, such as orders that no transfer names."""
    if encode(value) != sealed.body:
        raise BadField("the request is not written in its one form")
    return sealed


def _one_signer(sealed: Sealed) -> Sealed:
    if len(sealed.signers) != 1:
        raise BadField("it is one sender's, and several have signed it")
    return sealed


def _only_signer(sealed: Sealed, key: bytes) -> None:
    if sealed.signers != (key,):
        raise BadField("it is signed by another key than the one it names as its sender")


def _bytes(value: Value, width: int) -> bytes:
    if not isinstance(value, bytes) or len(value) != width:
        raise BadField(f"expected {width} bytes")
    return value


def _number(value: Value, most: int) -> int:
    if type(value) is not int or value > most:
        raise BadField(f"expected a number of at most {most}")
    return value


def _list(value: Value, most: int) -> Sequence[Value]:
    if not isinstance(value, list) or len(value) > most:
        raise BadField(f"expected a list of at most {most}")
    return value
