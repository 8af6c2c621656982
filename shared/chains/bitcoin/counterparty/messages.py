"""Messages and their bytes: `encode` writes the one form, `decode` refuses every other, `signable` is narrower still.

`decode` says what bytes mean; `signable` also refuses what is understood and never signed: broadcasts other than
OPTIONS, the locking of a feed, classic sends that nobody asked for, and forms that the stated block does not read.
"""

from __future__ import annotations

from typing import Final

from shared.chains.bitcoin.counterparty import kinds
from shared.chains.bitcoin.counterparty.assets import asset_id, asset_name
from shared.chains.bitcoin.counterparty.cbor import read_array, write_array
from shared.chains.bitcoin.counterparty.gates import Table, mpma_table, require_cbor
from shared.chains.bitcoin.counterparty.legacy import reads_as_legacy
from shared.chains.bitcoin.counterparty.memos import SEND_MOST, check_memo
from shared.chains.bitcoin.counterparty.model import (
    Broadcast,
    ClassicSend,
    EnhancedSend,
    Float64,
    Message,
    Mpma,
    Sweep,
)
from shared.chains.bitcoin.counterparty.mpma import check_mpma, check_quantity, read_body, write_body
from shared.chains.bitcoin.counterparty.packing import pack, unpack
from shared.errors import (
    CounterpartyBroadcastRefused,
    CounterpartyFeedLock,
    CounterpartyKindRefused,
    CounterpartyLegacyForm,
    CounterpartyNotUnderstood,
    CounterpartySweepRefused,
    Refusal,
)

SWEEP_BALANCES: Final = 1
SWEEP_OWNERSHIPS: Final = 2
SWEEP_HEX_MEMO: Final = 4

_OPTIONS: Final = {b"OPTIONS 0": 0, b"OPTIONS 1": 1}
_TIMES: Final = range(2**16, 2**32)  # composed with five bytes
_MOST_FRACTION: Final = 2**32 - 1


def options(required: bool, timestamp: int) -> Broadcast:  # noqa: FBT001 -- the one thing the message says
    """Give the broadcast that makes memos required, or not, as nodes compose it."""
    return Broadcast(timestamp, Float64(bytes(8)), 0, "", b"OPTIONS 1" if required else b"OPTIONS 0")


def options_of(message: Broadcast) -> int:
    """Give the number that a signable broadcast sets the options to."""
    return _OPTIONS[message.text]


def encode(message: Message, network: str, table: Table = Table.NOW) -> bytes:
    """Write a message in its one form.

    Raises:
        BadAddress, WrongNetwork: for a text that is no address of the network.
        CounterpartyRefusal: for a message that nodes would refuse, by its own code.
    """
    match message:
        case EnhancedSend(asset, quantity, address, memo):
            check_quantity(asset, quantity)
            check_memo(memo, SEND_MOST, is_text=False)
            return b"\x02" + write_array([asset_id(asset), quantity, pack(address, network), memo])
        case ClassicSend(asset, quantity):
            check_quantity(asset, quantity)
            return bytes(4) + asset_id(asset).to_bytes(8, "big") + quantity.to_bytes(8, "big")
        case Mpma():
            check_mpma(message)
            return b"\x03" + write_body(message, network, table)
        case Broadcast(timestamp, value, fraction, mime, text):
            _check_broadcast(message)
            return b"\x1e" + write_array([timestamp, value, fraction, mime, text])
        case _:
            _check_sweep(message)
            return b"\x04" + write_array([pack(message.address, network), message.flags, message.memo])


def decode(blob: bytes, network: str, table: Table = Table.NOW) -> Message:
    """Read a message in its one form: written again it gives the same bytes.

    Raises:
        CounterpartyKindRefused: for a message of another kind, named.
        CounterpartyLegacyForm: for bytes that nodes read in the form of before block 902,000.
        TableOfAnotherBlock: for an MPMA batch with the other address table.
        CounterpartyRefusal: for everything else that is not accepted, by its own code.
    """
    type_id, body = kinds.split(blob)
    try:
        message = parse(type_id, body, network, table)
    except CounterpartyKindRefused:
        raise
    except Refusal:
        if reads_as_legacy(type_id, body, network):
            raise CounterpartyLegacyForm(
                f"a {kinds.name_of(type_id)} in the form of before block 902,000"
            ) from None
        raise
    if encode(message, network, table) != blob:
        raise CounterpartyNotUnderstood(f"a {kinds.name_of(type_id)} that is not in its one form")
    return message


def signable(blob: bytes, network: str, height: int, *, classic: bool = False) -> Message:
    """Read a message that may be signed for a block of some height; classic sends only where they were asked for.

    Raises:
        CounterpartyHeight: for a height at which nodes do not read this form.
        CounterpartyFeedLock, CounterpartyBroadcastRefused: for broadcasts other than OPTIONS.
        CounterpartyKindRefused: for a classic send that was not asked for, and for other kinds, named.
        CounterpartyRefusal: as `decode` says.
    """
    require_cbor(network, height)
    message = decode(blob, network, mpma_table(network, height))
    if isinstance(message, ClassicSend) and not classic:
        raise CounterpartyKindRefused("a classic send is signed only where it was asked for")
    if isinstance(message, Broadcast):
        _require_options(message, blob, network)
    return message


def parse(type_id: int, body: bytes, network: str, table: Table) -> Message:
    """Read the body of a message as widely as nodes read its present form; what is signed passes `decode`.

    Raises:
        CounterpartyKindRefused: for a message of another kind, named.
        CounterpartyRefusal: for bytes that are no message of the kind.
    """
    match type_id:
        case kinds.CLASSIC_SEND:
            return _parse_classic(body)
        case kinds.MPMA:
            return read_body(body, network, table)
        case kinds.ENHANCED_SEND | kinds.SWEEP | kinds.BROADCAST:
            return _parse_array(type_id, body, network)
    raise CounterpartyKindRefused(f"a Counterparty message of the kind: {kinds.name_of(type_id)}")


def _parse_array(type_id: int, body: bytes, network: str) -> Message:
    match type_id, read_array(body):
        case kinds.ENHANCED_SEND, (int() as asset, int() as quantity, bytes() as packed, bytes() as memo):
            return EnhancedSend(asset_name(asset), quantity, unpack(packed, network), memo)
        case kinds.SWEEP, (bytes() as packed, int() as flags, bytes() as memo):
            return Sweep(unpack(packed, network), flags, memo)
        case kinds.BROADCAST, (
            int() as timestamp,
            int() | Float64() as value,
            int() as fraction,
            str() as mime,
            bytes() as text,
        ):
            return Broadcast(timestamp, value, fraction, mime, text)
    raise CounterpartyNotUnderstood(f"a {kinds.name_of(type_id)} with other fields than it has")


def _parse_classic(body: bytes) -> ClassicSend:
    if len(body) != 16:
        raise CounterpartyNotUnderstood("a classic send is 16 bytes")
    return ClassicSend(asset_name(int.from_bytes(body[:8], "big")), int.from_bytes(body[8:], "big"))


def _check_broadcast(message: Broadcast) -> None:
    if message.timestamp >= 2**32 or message.fee_fraction > _MOST_FRACTION:
        raise CounterpartyBroadcastRefused("a broadcast with a time or fee fraction beyond 32 bits")


def _check_sweep(message: Sweep) -> None:
    flags = message.flags
    if not 0 < flags < 8 or not flags & (SWEEP_BALANCES | SWEEP_OWNERSHIPS):
        raise CounterpartySweepRefused(f"a sweep of nothing, or with unknown flags: {flags}")
    if flags & SWEEP_HEX_MEMO and not message.memo:
        raise CounterpartySweepRefused("a sweep that says its memo is hex, and has none")
    check_memo(message.memo, SEND_MOST, is_text=not flags & SWEEP_HEX_MEMO)


def _require_options(message: Broadcast, blob: bytes, network: str) -> None:
    if message.text.strip().lower() == b"lock":
        raise CounterpartyFeedLock("the broadcast locks the address's feed for ever")
    required = _OPTIONS.get(message.text)
    if required is None or message.timestamp not in _TIMES:
        raise CounterpartyBroadcastRefused(
            "a broadcast that is not OPTIONS 0 or OPTIONS 1 with a present time"
        )
    if encode(options(required == 1, message.timestamp), network) != blob:
        raise CounterpartyBroadcastRefused("OPTIONS in another form than nodes compose it")
