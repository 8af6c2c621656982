"""The body of an MPMA message: a table of addresses, then sends by index in a stream of bits.

The table has one form before block 971,700 and another from it on; read with the wrong one, the same bytes pay other
people or nobody. Reading here is as wide as nodes read; `messages.decode` writes again and compares.
"""

from __future__ import annotations

from itertools import groupby

from shared.chains.bitcoin.counterparty.assets import BTC, asset_id, asset_name
from shared.chains.bitcoin.counterparty.bits import BitReader, BitWriter
from shared.chains.bitcoin.counterparty.gates import Table
from shared.chains.bitcoin.counterparty.memos import MPMA_MOST, check_memo
from shared.chains.bitcoin.counterparty.model import Mpma, MpmaMemo, MpmaSend
from shared.chains.bitcoin.counterparty.packing import (
    LEGACY_SIZE,
    begins_legacy,
    pack,
    pack_legacy,
    unpack,
    unpack_legacy,
)
from shared.chains.bitcoin.sizes import Reader
from shared.errors import (
    BitcoinMalformed,
    CounterpartyAssetRefused,
    CounterpartyMemoRefused,
    CounterpartyMpmaRefused,
    CounterpartyNotUnderstood,
    CounterpartyQuantityRefused,
    TableOfAnotherBlock,
)

_LENGTHS = range(21, 43)
_MOST_ADDRESSES = 2**16 - 1


def ordered(message: Mpma) -> Mpma:
    """Give the message with its lines by asset, as the wire has them; within an asset they stay in order."""
    return Mpma(tuple(sorted(message.sends, key=_asset)), message.memo)


def check_mpma(message: Mpma) -> None:
    """Demand what nodes demand, since one bad line voids all of them, and the fee.

    Raises:
        CounterpartyMpmaRefused: for fewer than two lines, too many addresses, or a recipient twice for one asset.
        CounterpartyAssetRefused: for BTC, which no batch sends.
        CounterpartyQuantityRefused: for zero, and for 2^63 or more.
        CounterpartyMemoRefused: for a memo that is empty, too long, or said to be text and is not.
    """
    pairs = {(send.asset, send.address) for send in message.sends}
    if len(message.sends) < 2 or len(pairs) != len(message.sends):
        raise CounterpartyMpmaRefused("a batch with fewer than two lines, or a recipient twice for one asset")
    if len({send.address for send in message.sends}) > _MOST_ADDRESSES:
        raise CounterpartyMpmaRefused(f"a batch has at most {_MOST_ADDRESSES} addresses")
    _check_memo(message.memo)
    for send in message.sends:
        check_quantity(send.asset, send.quantity)
        _check_memo(send.memo)


def check_quantity(asset: str, quantity: int) -> None:
    """Demand an asset and a quantity that can be sent.

    Raises:
        CounterpartyAssetRefused: for BTC, and for a text that is no asset.
        CounterpartyQuantityRefused: for zero, and for 2^63 or more.
    """
    asset_id(asset)
    if asset == BTC:
        raise CounterpartyAssetRefused("a Counterparty message cannot send BTC")
    if not 0 < quantity < 2**63:
        raise CounterpartyQuantityRefused(f"a quantity of {quantity} of {asset}")


def write_body(message: Mpma, network: str, table: Table) -> bytes:
    """Write the body of a checked message.

    Raises:
        BadAddress, WrongNetwork: for a text that is no address of the network.
        CounterpartyAddressRefused: for an address that the table of before cannot name.
    """
    addresses = sorted({send.address for send in message.sends})  # the table ascends by the addresses' texts
    width = (len(addresses) - 1).bit_length()
    index = {address: place for place, address in enumerate(addresses)}
    bits = BitWriter()
    _put_memo(bits, message.memo)
    for asset, group in groupby(ordered(message).sends, key=_asset):
        sends = list(group)
        bits.put(1, 1)
        bits.put(asset_id(asset), 64)
        bits.put(len(sends) - 1, width)
        for send in sends:
            bits.put(index[send.address], width)
            bits.put(send.quantity, 64)
            _put_memo(bits, send.memo)
    bits.put(0, 1)
    entries = (_entry(address, network, table) for address in addresses)
    return len(addresses).to_bytes(2, "big") + b"".join(entries) + bits.padded()


def table_of(body: bytes) -> Table:
    """Tell by its first byte which table a body has."""
    return Table.NOW if len(body) > 2 and body[2] in _LENGTHS else Table.BEFORE


def read_body(body: bytes, network: str, table: Table) -> Mpma:
    """Read a body with the table of the block that mines it; what follows its end is ignored, as nodes do.

    Raises:
        TableOfAnotherBlock: where the body has the other table.
        CounterpartyAddressRefused: for an entry of the table that is no address of the network.
        CounterpartyAssetRefused: for a number that no asset has.
        CounterpartyNotUnderstood: for everything else that is no body.
    """
    _check_table(body, table)
    reader = Reader(body)
    try:
        count = int.from_bytes(reader.take(2), "big")
        addresses = [_read_entry(reader, network, table) for _ in range(count)]
        bits = BitReader(reader.take(reader.left))
    except BitcoinMalformed:
        raise CounterpartyNotUnderstood("the message is cut short") from None
    if not addresses:
        raise CounterpartyNotUnderstood("a batch without addresses")
    return _read_sends(bits, addresses)


def _read_sends(bits: BitReader, addresses: list[str]) -> Mpma:
    width = (len(addresses) - 1).bit_length()
    memo, sends = _take_memo(bits), []
    while bits.take(1):
        asset = asset_name(bits.take(64))
        for _ in range(bits.take(width) + 1):
            place = bits.take(width)
            if place >= len(addresses):
                raise CounterpartyNotUnderstood("a line points outside of the address table")
            sends.append(MpmaSend(asset, addresses[place], bits.take(64), _take_memo(bits)))
    return Mpma(tuple(sends), memo)


def _check_table(body: bytes, table: Table) -> None:
    if len(body) <= 2:
        return
    if table is Table.NOW and begins_legacy(body[2]):
        raise TableOfAnotherBlock(
            "the batch has the address table of before block 971,700: nodes would refuse it"
        )
    if table is Table.BEFORE and body[2] in _LENGTHS:
        raise TableOfAnotherBlock(
            "the batch has the address table of block 971,700: earlier it pays other people"
        )


def _read_entry(reader: Reader, network: str, table: Table) -> str:
    if table is Table.BEFORE:
        return unpack_legacy(reader.take(LEGACY_SIZE), network)
    size = reader.take(1)[0]
    if size not in _LENGTHS:
        raise CounterpartyNotUnderstood(f"an address of {size} bytes")
    return unpack(reader.take(size), network)


def _entry(address: str, network: str, table: Table) -> bytes:
    if table is Table.BEFORE:
        return pack_legacy(address, network)
    packed = pack(address, network)
    return bytes([len(packed)]) + packed


def _asset(send: MpmaSend) -> str:
    return send.asset


def _check_memo(memo: MpmaMemo | None) -> None:
    if memo is None:
        return
    if not memo.raw:
        raise CounterpartyMemoRefused("an empty memo; leave it out")
    check_memo(memo.raw, MPMA_MOST, is_text=not memo.is_hex)


def _put_memo(bits: BitWriter, memo: MpmaMemo | None) -> None:
    bits.put(memo is not None, 1)
    if memo is not None:
        bits.put(memo.is_hex, 1)
        bits.put(len(memo.raw), 6)
        bits.put_bytes(memo.raw)


def _take_memo(bits: BitReader) -> MpmaMemo | None:
    if not bits.take(1):
        return None
    is_hex = bool(bits.take(1))
    return MpmaMemo(bits.take_bytes(bits.take(6)), is_hex)
