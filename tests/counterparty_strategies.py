"""Random Counterparty messages that may be written, for the tests of their bytes."""

from __future__ import annotations

import struct

from hypothesis import strategies as st

from shared.chains.bitcoin.addresses import address_of
from shared.chains.bitcoin.counterparty.assets import asset_name
from shared.chains.bitcoin.counterparty.model import (
    Broadcast,
    ClassicSend,
    EnhancedSend,
    Float64,
    Message,
    Mpma,
    MpmaMemo,
    MpmaSend,
    Sweep,
)
from shared.chains.bitcoin.script import p2pkh, p2sh, segwit

NETWORKS = ("bitcoin:mainnet", "bitcoin:testnet4", "bitcoin:signet", "bitcoin:regtest")
NETWORK = "bitcoin:regtest"

hashes = st.binary(min_size=20, max_size=20)
keys = st.binary(min_size=32, max_size=32)
legacy_scripts = st.one_of(hashes.map(p2pkh), hashes.map(p2sh), hashes.map(lambda h: segwit(0, h)))
scripts = st.one_of(legacy_scripts, keys.map(lambda k: segwit(0, k)), keys.map(lambda k: segwit(1, k)))
addresses = scripts.map(lambda script: address_of(script, NETWORK))
legacy_addresses = legacy_scripts.map(lambda script: address_of(script, NETWORK))

asset_ids = st.one_of(
    st.just(1),
    st.integers(26**3, 26**12 - 1),
    st.integers(26**12 + 1, 2**64 - 1),
)
assets = asset_ids.map(asset_name)
quantities = st.integers(1, 2**63 - 1)
texts = st.text(min_size=1, max_size=15).map(lambda text: text.encode())
memos = st.one_of(
    st.none(),
    texts.map(MpmaMemo),
    st.binary(min_size=1, max_size=63).map(lambda raw: MpmaMemo(raw, is_hex=True)),
)


def batches(places: st.SearchStrategy[str] = addresses) -> st.SearchStrategy[Mpma]:
    """Draw batches in the order of the wire: by asset, then as drawn."""

    def built(
        table: list[str],
        codes: list[str],
        lines: list[tuple[int, int, int, MpmaMemo | None]],
        memo: MpmaMemo | None,
    ) -> Mpma:
        found = {
            (codes[code % len(codes)], table[place % len(table)]): (quantity, own)
            for code, place, quantity, own in lines
        }
        sends = [MpmaSend(asset, address, *rest) for (asset, address), rest in found.items()]
        return Mpma(tuple(sorted(sends, key=lambda send: send.asset)), memo)

    line = st.tuples(st.integers(0, 20), st.integers(0, 20), quantities, memos)
    return st.builds(
        built,
        st.lists(places, min_size=1, max_size=8, unique=True),
        st.lists(assets, min_size=1, max_size=4, unique=True),
        st.lists(line, min_size=2, max_size=16),
        memos,
    ).filter(lambda batch: len(batch.sends) > 1)


sends = st.builds(EnhancedSend, assets, quantities, addresses, st.binary(max_size=34))
classic_sends = st.builds(ClassicSend, assets, quantities)
broadcasts = st.builds(
    Broadcast,
    st.integers(0, 2**32 - 1),
    st.one_of(
        st.integers(0, 2**64 - 1),
        st.floats(allow_nan=False, allow_infinity=False).map(lambda v: Float64(struct.pack(">d", v))),
    ),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["", "text/plain", "image/png"]),
    st.binary(max_size=600),
)
sweeps = st.one_of(
    st.builds(
        Sweep, addresses, st.integers(1, 3), st.one_of(st.just(b""), texts.filter(lambda t: len(t) <= 34))
    ),
    st.builds(Sweep, addresses, st.integers(5, 7), st.binary(min_size=1, max_size=34)),
)
messages: st.SearchStrategy[Message] = st.one_of(sends, classic_sends, batches(), broadcasts, sweeps)
