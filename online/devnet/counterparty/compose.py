"""Composes unsigned transactions as a node's `compose` routes do: inputs, data outputs, change, or commit and reveal.

It is honest unless told to lie, and then tells exactly one lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from online.devnet.bitcoin.arc4 import arc4
from online.devnet.bitcoin.policy import fee_for
from online.devnet.bitcoin.scripts import dust_sats, hash160, kind_of, pushed, script_of
from online.devnet.bitcoin.wire import Outpoint, Tx, TxIn, TxOut
from online.devnet.counterparty.drafts import (
    MULTISIG_PIECE,
    Chosen,
    bare_psbt,
    more_output,
    multisig_scripts,
    script_for,
    signed_vsize,
)
from online.devnet.counterparty.envelope import Envelope, output_key, seal
from online.devnet.counterparty.extraction import PREFIX
from online.devnet.counterparty.world import CounterpartyWorld
from online.devnet.counterparty.writing import (
    STRANGER,
    ComposeError,
    Given,
    bytes_of,
    one,
    problems_of,
    said_in,
    truth,
    twisted,
    whole,
)

KINDS: Final = {
    "send": {"destination", "asset", "quantity", "memo", "memo_is_hex", "no_dispense"},
    "mpma": {"assets", "destinations", "quantities", "memos", "memos_are_hex", "memo", "memo_is_hex"},
    "broadcast": {"timestamp", "value", "fee_fraction", "text", "mime_type"},
    "sweep": {"destination", "flags", "memo"},
}
COMMON: Final = {
    "encoding", "exact_fee", "sat_per_vbyte", "confirmation_target", "max_fee", "inputs_set", "use_all_inputs_set",
    "exclude_utxos", "change_address", "more_outputs", "multisig_pubkey", "pubkeys", "disable_utxo_locks",
    "allow_unconfirmed_inputs", "use_utxos_with_balances", "exclude_utxos_with_balances", "validate", "verbose",
    "return_only_data", "inscription", "p2sh_pretx_txid",
}
MOST_INPUTS: Final = 100
_LONGEST_PUSH: Final = 80
_MULTISIG_SATS: Final = 1000
_ORD_SATS: Final = 546
_STOLEN_SATS: Final = 1000


def compose(world: CounterpartyWorld, address: str, kind: str, given: Given) -> dict[str, Any]:
    """Compose a transaction and give the route's result.

    Raises:
        ComposeError: a node would not.
    """
    books, lie = world.books(), world.faults.lie
    feed = books.feeds.get(address)
    message = said_in(kind, given, world.bitcoin.clock(), feed.timestamp if feed else None)
    problems = problems_of(books, address, message) if truth(given, "validate", True) else []
    if problems:
        raise ComposeError(str(problems) if len(problems) > 1 else problems[0])
    new_table = world.bitcoin.height + 1 >= world.new_table_height
    honest = bytes_of(message, new_table=new_table)
    data = bytes_of(twisted(message, lie), new_table=new_table)
    if truth(given, "return_only_data"):
        return {"data": (PREFIX + honest).hex()}
    work = Composer(world, address, given)
    # A liar shows the data that was asked for, and writes another.
    result = work.build(data) | {"data": (PREFIX + honest).hex(), "name": kind}
    return result | {"params": {"source": address, **{name: given[name][0] for name in sorted(KINDS[kind])
                                                       if given.get(name)}, "skip_validation": False}}


class Composer:
    """One request to compose: its source, its parameters, and the inputs and outputs that follow from them."""

    def __init__(self, world: CounterpartyWorld, address: str, given: Given) -> None:
        self._world, self._address, self._given = world, address, given
        self._lie = world.faults.lie
        self._script = script_for(address)
        self._change = script_for(one(given, "change_address", address))
        self._more = [more_output(each) for each in one(given, "more_outputs", "").split(",") if each]

    def build(self, data: bytes) -> dict[str, Any]:
        """Put a message into a transaction, or into a commit and its reveal.

        Raises:
            ComposeError: a node would not.
        """
        encoding = one(self._given, "encoding", "auto")
        if encoding == "auto":
            encoding = "opreturn" if len(PREFIX + data) <= _LONGEST_PUSH else "multisig"
        if encoding == "taproot":
            return self._pair(data)
        return self._single(data, encoding)

    def _single(self, data: bytes, encoding: str) -> dict[str, Any]:
        if encoding == "opreturn":
            if len(PREFIX + data) > _LONGEST_PUSH:
                raise ComposeError("Data too long for one OP_RETURN output")
            blank = [TxOut(0, bytes(2 + len(PREFIX + data)))]
        elif encoding == "multisig":
            pieces = -(-len(data) // MULTISIG_PIECE)
            blank = [TxOut(_MULTISIG_SATS, bytes(105))] * pieces
        else:
            raise ComposeError(f"Invalid encoding: {encoding}")
        inputs = self._inputs(blank)
        key = bytes.fromhex(inputs[0].outpoint.txid)
        outs = [TxOut(0, b"\x6a" + pushed(arc4(key, PREFIX + data)))] if encoding == "opreturn" else [
            TxOut(_MULTISIG_SATS, script) for script in multisig_scripts(data, key, self._public_key())]
        return self._result(inputs, outs)

    # --- commit and reveal ------------------------------------------------------------------------

    def _pair(self, data: bytes) -> dict[str, Any]:
        ord_form = truth(self._given, "inscription")
        envelope = seal(data, self._leaf_key(), ord_form=ord_form)
        outs = [TxOut(0, b"\x6a" + pushed(PREFIX)), *([TxOut(_ORD_SATS, self._change)] if ord_form else [])]
        blank = TxIn(Outpoint("00" * 32, 0), b"", 0xFFFFFFFF, (bytes(65), envelope.leaf, envelope.control_block))
        vsize = Tx(2, (blank,), tuple(outs)).vsize
        value = fee_for(vsize, self._sats_per_kvb()) + (_ORD_SATS if ord_form else 0)
        value = max(value, dust_sats(envelope.lock_script))
        commit_outs = [TxOut(value, envelope.lock_script)]
        result = self._result(self._inputs(commit_outs), commit_outs)
        commit = Tx.read(bytes.fromhex(result["rawtransaction"]))
        reveal = Tx(2, (TxIn(Outpoint(commit.txid, 0), b"", 0xFFFFFFFF),), tuple(outs))
        return result | _reveal_fields(reveal, envelope, value)

    def _leaf_key(self) -> bytes:
        kind = kind_of(self._script)
        if kind == "witness_v0_keyhash":
            return self._public_key()[1:]
        if kind != "witness_v1_taproot":
            raise ComposeError("Taproot encoding is not supported for this source address")
        for key in self._given_keys():
            if output_key(key[-32:])[0] == self._script[2:]:
                return key[-32:]
        return self._script[2:]

    def _sats_per_kvb(self) -> int:
        try:
            return int(Decimal(one(self._given, "sat_per_vbyte", "2")) * 1000)
        except InvalidOperation:
            raise ComposeError("Invalid sat_per_vbyte") from None

    # --- keys -------------------------------------------------------------------------------------

    def _given_keys(self) -> list[bytes]:
        texts = f"{one(self._given, 'pubkeys', '')},{one(self._given, 'multisig_pubkey', '')}".split(",")
        try:
            return [bytes.fromhex(text) for text in texts if text]
        except ValueError:
            raise ComposeError("Invalid public key") from None

    def _public_key(self) -> bytes:
        script = self._script
        if kind_of(script) == "witness_v1_taproot":
            return (self._given_keys() or [b"\x02" + script[2:]])[0]
        wanted = script[2:] if kind_of(script) == "witness_v0_keyhash" else script[3:23]
        for key in [*self._given_keys(), *self._seen_keys()]:
            if hash160(key) == wanted:
                return key
        raise ComposeError(f"Public key not found for address {self._address}, please provide it with the "
                           "`pubkeys` parameter")

    def _seen_keys(self) -> list[bytes]:
        chain = self._world.bitcoin.chain
        return [each.witness[1] for block in map(chain.blocks.__getitem__, chain.active) for tx in block.txs
                for each in tx.inputs if len(each.witness) == 2]

    # --- inputs -----------------------------------------------------------------------------------

    def _inputs(self, outs: Sequence[TxOut]) -> list[Chosen]:
        offered = self._offered()
        if not truth(self._given, "use_utxos_with_balances"):
            owners = self._world.books().owners
            holding = [each for each in offered if str(each.outpoint) in owners]
            if holding and not truth(self._given, "exclude_utxos_with_balances") and self._given.get("inputs_set"):
                raise ComposeError(f"invalid UTXOs: {holding[0].outpoint} (use_utxos_with_balances)")
            offered = [each for each in offered if each not in holding]
        offered.sort(key=lambda each: -each.out.sats)
        taken = offered if truth(self._given, "use_all_inputs_set") else self._enough(offered, outs)
        if not taken:
            raise ComposeError(f"No UTXOs found for {self._address}")
        return self._led_by_another(taken) if self._lie == "other-input-first" else taken

    def _enough(self, offered: list[Chosen], outs: Sequence[TxOut]) -> list[Chosen]:
        for count in range(1, len(offered) + 1):
            taken = offered[:count]
            need = sum(out.sats for out in (*outs, *self._more))
            if sum(each.out.sats for each in taken) >= need + self._fee(taken, outs):
                return taken
        return offered

    def _offered(self) -> list[Chosen]:
        given = one(self._given, "inputs_set", "")
        if given:
            texts = given.split(",")
            if len(texts) > MOST_INPUTS:
                raise ComposeError(f"too many UTXOs in inputs_set (max. {MOST_INPUTS})")
            return [self._parsed(text) for text in texts]
        barred = set(one(self._given, "exclude_utxos", "").split(","))
        coins = self._world.bitcoin.chain.coins
        return [Chosen(at, coin.out) for at, coin in coins.items()
                if coin.script == self._script and str(at) not in barred
                and at not in self._world.bitcoin.mempool.spenders]

    def _parsed(self, text: str) -> Chosen:
        parts = text.split(":")
        try:
            outpoint = Outpoint(parts[0], int(parts[1]))
            if len(parts) == 4:
                return Chosen(outpoint, TxOut(int(parts[2]), bytes.fromhex(parts[3])))
        except (ValueError, IndexError):
            raise ComposeError(f"invalid UTXO: {text}") from None
        coin = self._world.bitcoin.mempool.coin(outpoint)
        if coin is None:
            raise ComposeError(f"invalid UTXO: {text} (not found)")
        return Chosen(outpoint, coin.out)

    def _led_by_another(self, taken: list[Chosen]) -> list[Chosen]:
        if len(taken) > 1:
            return taken[::-1]
        coins = self._world.bitcoin.chain.coins
        others = [Chosen(at, coin.out) for at, coin in coins.items()
                  if coin.script == self._script and at != taken[0].outpoint]
        if not others:
            raise ComposeError("no other input to lie with")
        return [others[0], *taken]

    # --- the whole --------------------------------------------------------------------------------

    def _fee(self, inputs: Sequence[Chosen], outs: Sequence[TxOut]) -> int:
        exact = one(self._given, "exact_fee", "")
        if exact:
            return whole(self._given, "exact_fee")
        change = TxOut(0, self._change)
        fee = fee_for(signed_vsize(inputs, [*outs, *self._more, change]), self._sats_per_kvb())
        most = whole(self._given, "max_fee", "0")
        return min(fee, most) if most else fee

    def _result(self, inputs: list[Chosen], outs: Sequence[TxOut]) -> dict[str, Any]:
        fee, paid = self._fee(inputs, outs), [*outs, *self._more]
        held = sum(each.out.sats for each in inputs)
        left = held - sum(out.sats for out in paid) - fee
        if left < 0:
            raise ComposeError(f"Insufficient funds for the target amount: {held} < {held - left}")
        if self._lie == "extra-output":
            paid, left = [*paid, TxOut(_STOLEN_SATS, script_of(STRANGER))], left - _STOLEN_SATS
        if self._lie == "fee-to-dust" or left < dust_sats(self._change):
            left = 0
        if left:
            paid = [*paid, TxOut(left, self._change)]
        tx = Tx(2, tuple(TxIn(each.outpoint, b"", 0xFFFFFFFF) for each in inputs), tuple(paid))
        spent = sum(out.sats for out in paid)
        vsize = signed_vsize(inputs, paid)
        return {
            "rawtransaction": tx.raw.hex(), "btc_in": held, "btc_out": spent - left, "btc_change": left,
            "btc_fee": held - spent, "lock_scripts": [each.out.script.hex() for each in inputs],
            "inputs_values": [each.out.sats for each in inputs], "psbt": bare_psbt(tx),
            "signed_tx_estimated_size": {"vsize": vsize, "adjusted_vsize": vsize, "sigops_count": 1},
        }


def _reveal_fields(reveal: Tx, envelope: Envelope, value: int) -> dict[str, Any]:
    return {
        "reveal_rawtransaction": reveal.raw.hex(), "envelope_script": envelope.leaf.hex(),
        "reveal_control_block": envelope.control_block.hex(), "reveal_pubkey": envelope.control_block[1:].hex(),
        "reveal_lock_scripts": [envelope.lock_script.hex()], "reveal_inputs_values": [value],
    }
