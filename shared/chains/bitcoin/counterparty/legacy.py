"""Messages in the forms of before block 902,000, for auditors. Nodes still try them; nothing here is ever signed."""

from __future__ import annotations

from shared.chains.bitcoin.counterparty import kinds
from shared.chains.bitcoin.counterparty.assets import asset_name
from shared.chains.bitcoin.counterparty.model import Broadcast, EnhancedSend, Float64, Message, Sweep
from shared.chains.bitcoin.counterparty.packing import LEGACY_SIZE, unpack_legacy
from shared.chains.bitcoin.sizes import Reader
from shared.errors import BitcoinMalformed, CounterpartyNotUnderstood, Refusal


def parse_legacy(type_id: int, body: bytes, network: str) -> Message:
    """Read the body of a send, sweep or broadcast in its old form.

    Raises:
        CounterpartyNotUnderstood: for bytes that are none, and for other kinds.
        CounterpartyAddressRefused, CounterpartyAssetRefused: for an address or asset that is none.
    """
    reader = Reader(body)
    try:
        match type_id:
            case kinds.ENHANCED_SEND:
                return _send(reader, network)
            case kinds.SWEEP:
                address = unpack_legacy(reader.take(LEGACY_SIZE), network)
                return Sweep(address, reader.number(1), reader.take(reader.left))
            case kinds.BROADCAST:
                return _broadcast(reader)
    except BitcoinMalformed:
        raise CounterpartyNotUnderstood("the message is cut short") from None
    raise CounterpartyNotUnderstood(f"a {kinds.name_of(type_id)} has no old form here")


def reads_as_legacy(type_id: int, body: bytes, network: str) -> bool:
    """Tell whether a node would find a message in its old form in bytes that are none in the present one."""
    try:
        parse_legacy(type_id, body, network)
    except Refusal:
        return False
    return True


def _send(reader: Reader, network: str) -> EnhancedSend:
    asset = asset_name(int.from_bytes(reader.take(8), "big"))
    quantity = int.from_bytes(reader.take(8), "big")
    address = unpack_legacy(reader.take(LEGACY_SIZE), network)
    return EnhancedSend(asset, quantity, address, reader.take(reader.left))


def _broadcast(reader: Reader) -> Broadcast:
    timestamp = int.from_bytes(reader.take(4), "big")
    value = Float64(reader.take(8))
    fraction = int.from_bytes(reader.take(4), "big")
    text = reader.sized()
    if reader.left:
        raise CounterpartyNotUnderstood("bytes follow the end of the message")
    return Broadcast(timestamp, value, fraction, "", text)
