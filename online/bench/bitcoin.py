"""The bench's Bitcoin part: a sweep of 500 deposit addresses of each form, beside embit and the same as a PSBT."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from online.bench.rows import Row
from online.bench.scene import Scene, rates
from shared.chains.bitcoin import BITCOIN
from shared.chains.bitcoin.addresses import script_of
from shared.chains.bitcoin.context import Prevout, Stated, write_context
from shared.chains.bitcoin.model import Tx
from shared.chains.bitcoin.psbt import write_psbt
from shared.chains.bitcoin.psbt_ours import unsigned_psbt, with_signatures
from shared.chains.bitcoin.transactions import Input, Output, Transaction, write
from shared.courier.foreign import foreign_film
from shared.envelope import Item, TransferRef, card_addresses, card_keys, open_answer, order_id
from shared.transport.message import film
from shared.transport.qr import Display

NETWORK: Final = "bitcoin:regtest"
INPUTS: Final = 500
HEIGHT: Final = 900_000
_SATS: Final = 100_000
_FEE: Final = 60_000

POLICY: Final = """
epoch = 1
network_class = "test"
clock_jump_seconds = 259200
approvers = ["{carol}"]
stations = ["{station}"]

[administrators]
quorum = 1
people = ["{carol}"]

[[wallet]]
name = "cold"
network = "bitcoin:regtest"
tier = "cold"
places = [{places}]

[[rule]]
wallet = "cold"
kinds = ["payment"]
to_places = ["{holding}"]
fee_most = "0.01"
fee_rate_most = 50
transactions_without_payment = 0
approvals = 1
accepts = ["foreign-script-from-asset-address", "moves-attached-assets"]
limits.BTC = {{ transfer = "1000", request = "1000", day = "1000", epoch = "1000" }}
"""


def measure(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Measure the sweep of each form of address."""
    rows = []
    for form in ("p2wpkh", "p2tr"):
        (folder / form).mkdir()
        rows += _measure(folder / form, "" if form == "p2wpkh" else form, form, say)
    return rows


def _measure(folder: Path, form: str, name: str, say: Callable[[str], None]) -> list[Row]:
    scene = Scene(folder, NETWORK, INPUTS, _policy, form=form)
    item, tx = _sweep(scene, form)
    foreign = unsigned_psbt(tx, bytes(4))
    psbt = write_psbt(foreign)
    request = scene.request({"height": HEIGHT}, [item])
    peer = _embit(psbt)
    answer = scene.sign(0)[1]
    back = write_psbt(with_signatures(foreign, tx, open_answer(answer)[0].signatures))
    rows = [*_frames(request, psbt, f"{name}.request"), *_frames(answer, back, f"{name}.answer")]
    if peer is None:
        rate = INPUTS / scene.sign(1)[0]
        return [*rows, Row(f"bitcoin.signer.{name}", rate, "signatures/s")]
    rate, theirs, ratio = rates(scene, INPUTS, peer, say)
    return [
        *rows,
        Row(f"bitcoin.signer.{name}", rate, "signatures/s", "embit sign_with alone", theirs),
        Row(f"bitcoin.signer.{name}.over-embit", ratio, "times", aim="at least 4", met=ratio >= 4),
    ]


def _policy(scene: Scene) -> str:
    places = ", ".join(f'"{one}"' for one in card_addresses(scene.card, INPUTS))
    return POLICY.format(carol=scene.carol, station=scene.station, places=places, holding=_holding())


def _holding() -> str:
    return BITCOIN.address(b"\2" + sha256(b"holding").digest(), "secp256k1", NETWORK)


def _sweep(scene: Scene, form: str) -> tuple[Item, Tx]:
    """Make the sweep, and the same as a PSBT would tell it, with all derivations."""
    card = scene.card
    keys, addresses = card_keys(card, INPUTS), card_addresses(card, INPUTS)
    inputs = tuple(Input(sha256(b"coin %d" % number).digest(), number % 4, 0xFFFFFFFD) for number in range(INPUTS))
    outputs = (Output(INPUTS * _SATS - _FEE, script_of(_holding(), NETWORK)),)
    coins = [Output(_SATS, script_of(address, NETWORK)) for address in addresses]
    # BIP86: what an own taproot output needs stated is its script alone; a PSBT names its internal key too.
    prevouts = tuple(Prevout(coin, b"" if form else key) for coin, key in zip(coins, keys, strict=True))
    openers = tuple(Prevout(coin, key[1:] if form else key) for coin, key in zip(coins, keys, strict=True))
    unsigned = write(Transaction(2, inputs, outputs, 0), witness=False)
    paths = tuple(BITCOIN.key_path(NETWORK, card.curve, card.account, index, form) for index in range(INPUTS))
    context = write_context(Stated(HEIGHT, prevouts))
    lean = BITCOIN.lean(context, paths, keys)
    own = {name: value for name, value in lean.items() if name != "height"}
    told = write_context(Stated(HEIGHT, openers))
    tx = BITCOIN.decode(unsigned, told, paths, NETWORK)
    return Item(unsigned, paths, (TransferRef(order_id("bench"), 0),), own), tx


def _frames(sealed: bytes, psbt: bytes, name: str) -> list[Row]:
    rows = []
    for version in (20, 27):
        display = Display(version)
        ours = film(sealed, display).needed
        others = {kind: foreign_film(kind, psbt, display).needed for kind in ("ur", "bbqr")}
        best = min(others, key=lambda kind: others[kind])
        rows.append(Row(f"gap.{name}.frames.v{version}", ours, "frames", f"the PSBT as {best}", others[best],
                        "under half", ours * 2 < others[best]))
    return rows


def _embit(psbt: bytes) -> Callable[[], float] | None:
    """Give the function that measures embit's signing of as many inputs with keys of its own, if embit is installed."""
    try:
        bip32, reader = importlib.import_module("embit.bip32"), importlib.import_module("embit.psbt")
    except ImportError:
        return None
    root = bip32.HDKey.from_seed(bytes(64))

    def rate() -> float:
        foreign: Any = reader.PSBT.parse(psbt)
        _take_over(foreign, root)
        begun = time.perf_counter()
        count = foreign.sign_with(root)
        if count != len(foreign.inputs):
            raise RuntimeError(f"embit signed {count} inputs")  # a measurement of less would flatter us
        return float(count / (time.perf_counter() - begun))

    return rate


def _take_over(foreign: Any, root: Any) -> None:
    """Give the PSBT's inputs to embit's own keys at the same paths, so that it has all of them to sign."""
    script = importlib.import_module("embit.script")
    for one in foreign.inputs:
        if one.bip32_derivations:
            (place,) = one.bip32_derivations.values()
            key = root.derive(place.derivation).key
            place.fingerprint = root.my_fingerprint
            one.bip32_derivations = {key.get_public_key(): place}
            one.witness_utxo.script_pubkey = script.p2wpkh(key)
        else:
            ((leaves, place),) = one.taproot_bip32_derivations.values()
            key = root.derive(place.derivation).key
            place.fingerprint = root.my_fingerprint
            one.taproot_bip32_derivations = {key.get_public_key(): (leaves, place)}
            one.taproot_internal_key = key.get_public_key()
            one.witness_utxo.script_pubkey = script.p2tr(key)
