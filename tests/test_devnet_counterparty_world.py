"""The devnet's Counterparty follows the blocks: composed by its REST face, signed by these tests, mined, and read.

Requests go through HTTP as a gateway's would; the small wallet of the Bitcoin devnet's tests signs.
"""

from __future__ import annotations

import dataclasses
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

import pytest
from coincurve import PrivateKey
from embit import script, transaction

from online.devnet.bitcoin import KNOTS, BitcoinWorld, Outpoint
from online.devnet.bitcoin.mempool import Rejected
from online.devnet.bitcoin.rpc import answer
from online.devnet.bitcoin.wire import Tx, TxOut
from online.devnet.counterparty import CounterpartyWorld, extraction, serve_counterparty
from online.devnet.counterparty.envelope import message_of
from online.devnet.counterparty.faults import Lie
from online.devnet.counterparty.messages import Many, Send
from online.devnet.counterparty.messages import read as read_message
from online.devnet.counterparty.writing import STRANGER
from tests.test_devnet_bitcoin_wallet import Wallet, pay

ALICE, BOB, TAPROOT = Wallet(31), Wallet(32), Wallet(33, taproot=True)
COIN = 10**8


class Client:
    """A client as plain as can be."""

    def __init__(self, world: CounterpartyWorld, url: str) -> None:
        self.world, self.bitcoin, self._url = world, world.bitcoin, url

    def get(self, path: str, **given: Any) -> tuple[int, Any]:
        query = urllib.parse.urlencode(given, doseq=True)
        return self._open(urllib.request.Request(f"{self._url}{path}?{query}" if query else self._url + path))

    def post(self, path: str, **given: str) -> tuple[int, Any]:
        return self._open(urllib.request.Request(self._url + path, urllib.parse.urlencode(given).encode()))

    def _open(self, request: urllib.request.Request) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def ask(self, path: str, **given: Any) -> Any:
        status, reply = self.get(path, **given)
        assert status == 200, reply
        return reply["result"]

    def balance(self, address: str, asset: str = "XCP") -> int:
        rows = self.ask(f"/v2/addresses/{address}/balances/{asset}")
        return sum(int(row["quantity"]) for row in rows if row["utxo"] is None)

    def compose(self, wallet: Wallet, kind: str, coins: Sequence[Outpoint], **given: Any) -> Any:
        fixed = {
            "inputs_set": ",".join(map(str, coins)),
            "use_all_inputs_set": "true",
            "change_address": wallet.address,
            "pubkeys": wallet.public.hex(),
            "exact_fee": 1000,
        }
        return self.ask(f"/v2/addresses/{wallet.address}/compose/{kind}", **{**fixed, **given})

    def do(self, wallet: Wallet, kind: str, **given: Any) -> Tx:
        """Compose with a fresh coin, sign, submit and mine."""
        result = self.compose(wallet, kind, [self.bitcoin.fund(wallet.script, 1_000_000)], **given)
        tx = signed(wallet, result)
        self.bitcoin.mine_exactly([tx])
        return tx


def signed(wallet: Wallet, result: Mapping[str, Any]) -> Tx:
    """Sign what was composed."""
    spent = [
        TxOut(sats, bytes.fromhex(each))
        for sats, each in zip(result["inputs_values"], result["lock_scripts"], strict=True)
    ]
    return wallet.sign(Tx.read(bytes.fromhex(result["rawtransaction"])), spent)


def signed_reveal(wallet: Wallet, result: Mapping[str, Any]) -> Tx:
    """Sign a reveal by its script path with the wallet's own key, as the leaf names it: plain, or tweaked."""
    tx, leaf = (bytes.fromhex(result[name]) for name in ("reveal_rawtransaction", "envelope_script"))
    lock = script.Script(bytes.fromhex(result["reveal_lock_scripts"][0]))
    digest = transaction.Transaction.parse(tx).sighash_taproot(
        0, [lock], result["reveal_inputs_values"], ext_flag=1, script=script.Script(leaf)
    )
    plain = bytes.fromhex(result["reveal_pubkey"]) == wallet.public[1:]
    secret = wallet.secret if plain else wallet.secret.taproot_tweak(b"")
    signature = PrivateKey(secret.secret).sign_schnorr(bytes(digest), bytes(32))
    witness = (signature, leaf, bytes.fromhex(result["reveal_control_block"]))
    unsigned = Tx.read(tx)
    return dataclasses.replace(unsigned, inputs=(dataclasses.replace(unsigned.inputs[0], witness=witness),))


@pytest.fixture
def client() -> Iterator[Client]:
    world = CounterpartyWorld(BitcoinWorld())
    world.credit(ALICE.address, "XCP", 1000 * COIN)
    world.credit(ALICE.address, "COLDTEST", 500)
    with serve_counterparty(world) as server:
        yield Client(world, server.url)


def test_a_send_with_memo_arrives_and_is_told_everywhere(client: Client) -> None:
    tx = client.do(ALICE, "send", destination=BOB.address, asset="XCP", quantity=5 * COIN, memo="user 10482")
    (row,) = client.ask(f"/v2/addresses/{BOB.address}/receives")
    assert (row["tx_hash"], row["status"], row["quantity"], row["source"]) == (
        tx.txid,
        "valid",
        5 * COIN,
        ALICE.address,
    )
    assert (row["memo"], row["block_index"]) == (b"user 10482".hex(), client.bitcoin.height)
    assert client.ask(f"/v2/addresses/{ALICE.address}/sends/XCP")[0] == row
    (credit,) = client.ask(f"/v2/addresses/{BOB.address}/credits")
    assert (credit["calling_function"], credit["quantity"], credit["event"]) == ("send", 5 * COIN, tx.txid)
    names = [event["event"] for event in client.ask(f"/v2/transactions/{tx.txid}/events")][::-1]
    assert names == ["NEW_TRANSACTION", "DEBIT", "CREDIT", "ENHANCED_SEND", "TRANSACTION_PARSED"]
    assert (client.balance(ALICE.address), client.balance(BOB.address)) == (995 * COIN, 5 * COIN)


def test_a_waiting_send_is_seen_and_is_no_credit(client: Client) -> None:
    result = client.compose(
        ALICE,
        "send",
        [client.bitcoin.fund(ALICE.script, 100_000)],
        destination=BOB.address,
        asset="XCP",
        quantity=7,
    )
    tx = signed(ALICE, result)
    assert client.post("/v2/bitcoin/transactions", signedhex=tx.raw.hex()) == (200, {"result": tx.txid})
    events = client.ask(f"/v2/mempool/transactions/{tx.txid}/events")
    send = next(event for event in events if event["event"] == "ENHANCED_SEND")
    assert (send["params"]["block_index"], send["params"]["status"]) == (9_999_999, "valid")
    assert client.ask("/v2/addresses/mempool", addresses=f"{BOB.address},x")
    assert client.balance(BOB.address) == 0
    assert client.ask(f"/v2/addresses/{BOB.address}/receives") == []
    client.bitcoin.mine()
    assert client.ask("/v2/addresses/mempool", addresses=BOB.address) == []
    assert client.balance(BOB.address) == 7


def test_more_than_there_is_is_not_composed_and_counts_for_nothing_when_mined(client: Client) -> None:
    path = f"/v2/addresses/{BOB.address}/compose/send"
    given = {
        "destination": ALICE.address,
        "asset": "XCP",
        "quantity": 1,
        "inputs_set": "",
        "exact_fee": 1000,
        "pubkeys": BOB.public.hex(),
    }
    client.bitcoin.fund(BOB.script, 100_000)
    assert client.get(path, **given) == (400, {"error": "insufficient funds"})
    client.do(BOB, "send", destination=ALICE.address, asset="XCP", quantity=1, validate="false")
    assert client.ask(f"/v2/addresses/{BOB.address}/sends")[0]["status"] == "invalid: insufficient funds"


def test_a_batch_is_all_or_nothing(client: Client) -> None:
    lines = {"assets": "XCP,COLDTEST", "destinations": f"{BOB.address},{BOB.address}", "memos": ["a", ""]}
    client.do(ALICE, "mpma", quantities="10,501", validate="false", encoding="multisig", **lines)
    assert (client.balance(BOB.address), client.balance(BOB.address, "COLDTEST")) == (0, 0)
    client.do(ALICE, "mpma", quantities="10,500", encoding="multisig", **lines)
    assert (client.balance(BOB.address), client.balance(BOB.address, "COLDTEST")) == (10, 500)
    rows = client.ask(f"/v2/addresses/{BOB.address}/receives")[::-1]
    assert [(row["asset"], row["memo"], row["msg_index"]) for row in rows] == [
        ("COLDTEST", None, 0),
        ("XCP", b"a".hex(), 1),
    ]


@pytest.mark.parametrize(
    ("wallet", "pubkeys"),
    [(ALICE, ALICE.public.hex()), (TAPROOT, TAPROOT.public.hex()), (TAPROOT, "")],
    ids=["p2wpkh", "p2tr-internal-key", "p2tr-output-key"],
)
def test_five_hundred_recipients_are_paid_by_commit_and_reveal(
    client: Client, wallet: Wallet, pubkeys: str
) -> None:
    client.world.credit(wallet.address, "XCP", COIN)
    people = [Wallet(1000 + number).address for number in range(500)]
    coin = client.bitcoin.fund(wallet.script, 1_000_000)
    result = client.compose(
        wallet,
        "mpma",
        [coin],
        assets=",".join(["XCP"] * 500),
        destinations=",".join(people),
        quantities=",".join(str(1 + number) for number in range(500)),
        memos=[f"{number:012d}" for number in range(500)],
        encoding="taproot",
        pubkeys=pubkeys,
    )
    commit, reveal = signed(wallet, result), signed_reveal(wallet, result)
    client.bitcoin.submit(commit.raw)
    client.bitcoin.submit(reveal.raw)
    client.bitcoin.mine()
    assert [client.balance(people[number]) for number in (0, 250, 499)] == [1, 251, 500]
    page = client.get(f"/v2/addresses/{wallet.address}/sends", limit=300)[1]
    rest = client.get(f"/v2/addresses/{wallet.address}/sends", limit=300, cursor=page["next_cursor"])[1]
    rows = page["result"] + rest["result"]
    assert (len(rows), rest["next_cursor"], {row["tx_hash"] for row in rows}) == (500, None, {reveal.txid})
    assert {row["msg_index"] for row in rows} == set(range(500))


def test_an_envelope_that_the_mempool_refuses_is_mined_by_generateblock(client: Client) -> None:
    client.bitcoin.policy = KNOTS
    coin = client.bitcoin.fund(ALICE.script, 1_000_000)
    result = client.compose(
        ALICE, "send", [coin], destination=BOB.address, asset="XCP", quantity=9, encoding="taproot"
    )
    commit, reveal = signed(ALICE, result), signed_reveal(ALICE, result)
    client.bitcoin.submit(commit.raw)
    with pytest.raises(Rejected, match="bare-datacarrier"):
        client.bitcoin.submit(reveal.raw)
    answer(client.bitcoin, "generateblock", [ALICE.address, [commit.txid, reveal.raw.hex()]])
    assert client.balance(BOB.address) == 9


def test_a_reveal_for_another_source_moves_nothing(client: Client) -> None:
    # Bob seals an envelope by his own key, and gets Alice to pay into it.
    client.world.credit(BOB.address, "XCP", COIN)
    coin = client.bitcoin.fund(BOB.script, 1_000_000)
    result = client.compose(
        BOB,
        "send",
        [coin],
        destination=BOB.address,
        asset="XCP",
        quantity=9,
        encoding="taproot",
        validate="false",
    )
    lock, value = bytes.fromhex(result["reveal_lock_scripts"][0]), result["reveal_inputs_values"][0]
    commit = pay(client.bitcoin, ALICE, [client.bitcoin.fund(ALICE.script, 100_000)], [(lock, value)])
    client.bitcoin.mine_exactly([commit])
    body = Tx.read(bytes.fromhex(result["reveal_rawtransaction"]))
    moved = dataclasses.replace(body.inputs[0], outpoint=Outpoint(commit.txid, 0))
    theft = {**result, "reveal_rawtransaction": dataclasses.replace(body, inputs=(moved,)).raw.hex()}
    client.bitcoin.mine_exactly([signed_reveal(BOB, theft)])
    assert client.balance(ALICE.address) == 1000 * COIN
    assert client.ask(f"/v2/addresses/{ALICE.address}/sends") == []


def test_an_address_may_demand_memos_from_its_own_broadcast_on(client: Client) -> None:
    client.do(BOB, "broadcast", timestamp=0, value=0, fee_fraction=0, text="OPTIONS 1")
    assert client.ask(f"/v2/addresses/{BOB.address}")["options"] == 1
    client.do(ALICE, "send", destination=BOB.address, asset="XCP", quantity=1, validate="false")
    client.do(
        ALICE, "send", destination=BOB.address, asset="XCP", quantity=1, memo="00ff", memo_is_hex="true"
    )
    rows = client.ask(f"/v2/addresses/{BOB.address}/receives")
    assert [row["status"] for row in rows] == ["valid", "invalid: destination requires memo"]
    client.do(BOB, "broadcast", timestamp=0, text="lock")
    status, reply = client.get(f"/v2/addresses/{BOB.address}/compose/broadcast", text="OPTIONS 0")
    assert (status, reply["error"]) == (400, "locked feed")


def test_a_sweep_costs_xcp_and_moves_the_rest(client: Client) -> None:
    client.world.issue("ALICECOIN"[1:], ALICE.address)
    assert client.ask(f"/v2/addresses/{ALICE.address}/compose/sweep/estimatexcpfees") == 800_000
    client.do(ALICE, "sweep", destination=BOB.address, flags=3, memo="bye")
    assert client.balance(BOB.address) == 1000 * COIN - 800_000
    assert client.balance(BOB.address, "COLDTEST") == 500
    assert client.ask(f"/v2/addresses/{ALICE.address}/balances") == []
    assert client.ask("/v2/assets/LICECOIN")["owner"] == BOB.address


def test_attached_assets_move_to_the_first_output_that_is_no_data(client: Client) -> None:
    coin = client.bitcoin.fund(ALICE.script, 100_000)
    client.world.attach(coin, "COLDTEST", 40)
    assert client.ask("/v2/utxos/withbalances", utxos=f"{coin},{'00' * 32}:1") == {
        str(coin): True,
        f"{'00' * 32}:1": False,
    }
    status, reply = client.get(
        f"/v2/addresses/{ALICE.address}/compose/send",
        destination=BOB.address,
        asset="XCP",
        quantity=1,
        inputs_set=str(coin),
        exact_fee=500,
    )
    assert (status, "use_utxos_with_balances" in reply["error"]) == (400, True)
    tx = pay(
        client.bitcoin, ALICE, [coin], [(b"\x6a\x01\x01", 0), (BOB.script, 50_000), (ALICE.script, 40_000)]
    )
    client.bitcoin.mine_exactly([tx])
    (row,) = client.ask(f"/v2/addresses/{BOB.address}/balances")
    assert (row["utxo"], row["quantity"], row["address"]) == (f"{tx.txid}:1", 40, None)
    assert client.ask(f"/v2/utxos/{tx.txid}:1/balances")[0]["asset"] == "COLDTEST"


def test_a_reorganisation_is_read_again_and_decrees_stay(client: Client) -> None:
    client.do(ALICE, "send", destination=BOB.address, asset="XCP", quantity=3)
    assert client.balance(BOB.address) == 3
    client.bitcoin.reorg(1)
    assert (client.balance(BOB.address), client.balance(ALICE.address)) == (0, 1000 * COIN)
    client.bitcoin.mine()
    assert client.balance(BOB.address) == 3


def test_the_old_table_read_after_the_gate_pays_nobody() -> None:
    world = CounterpartyWorld(BitcoinWorld(), new_table_height=115)
    world.credit(ALICE.address, "XCP", 100)
    with serve_counterparty(world) as server:
        client = Client(world, server.url)
        coin = world.bitcoin.fund(ALICE.script, 100_000)
        result = client.compose(
            ALICE,
            "mpma",
            [coin],
            assets="XCP,XCP",
            quantities="1,2",
            encoding="multisig",
            destinations=f"{BOB.address},{Wallet(34).address}",
        )
        world.bitcoin.mine(115 - world.bitcoin.height)
        world.bitcoin.mine_exactly([signed(ALICE, result)])
        assert client.balance(BOB.address) == 0
        client.do(
            ALICE,
            "mpma",
            assets="XCP,XCP",
            quantities="1,2",
            encoding="multisig",
            destinations=f"{BOB.address},{TAPROOT.address}",
        )
        assert (client.balance(BOB.address), client.balance(TAPROOT.address)) == (1, 2)


# --- lies ---------------------------------------------------------------------------------------------


def composed_with(client: Client, lie: Lie | None, coins: Sequence[Outpoint]) -> tuple[Tx, Send, int]:
    client.world.lie(lie)
    result = client.compose(ALICE, "send", coins, destination=BOB.address, asset="XCP", quantity=10, memo="m")
    tx = Tx.read(bytes.fromhex(result["rawtransaction"]))
    spent = [
        TxOut(sats, bytes.fromhex(each))
        for sats, each in zip(result["inputs_values"], result["lock_scripts"], strict=True)
    ]
    found = extraction.find(tx, spent)
    assert found is not None
    message = read_message(found.message, new_table=True)
    assert isinstance(message, Send)
    return tx, message, sum(out.sats for out in spent) - sum(out.sats for out in tx.outputs)


def test_each_lie_is_that_lie_and_no_other(client: Client) -> None:
    coins = [client.bitcoin.fund(ALICE.script, sats) for sats in (300_000, 200_000)]
    tx, message, fee = composed_with(client, None, coins)
    assert (message, fee) == (Send("XCP", 10, BOB.address, b"m"), 1000)
    assert [each.outpoint for each in tx.inputs] == coins
    told = {lie: composed_with(client, lie, coins) for lie in get_args(Lie)}
    assert told["wrong-recipient"][1:] == (dataclasses.replace(message, address=STRANGER), 1000)
    assert told["wrong-amount"][1:] == (dataclasses.replace(message, quantity=11), 1000)
    assert told["wrong-memo"][1:] == (dataclasses.replace(message, memo=b"another"), 1000)
    assert told["extra-output"][1:] == (message, 1000)
    assert len(told["extra-output"][0].outputs) == len(tx.outputs) + 1
    assert told["fee-to-dust"][1:] == (message, 500_000)
    assert told["other-input-first"][1:] == (message, 1000)
    assert [each.outpoint for each in told["other-input-first"][0].inputs] == coins[::-1]


def test_a_lie_about_a_batch_changes_its_first_line(client: Client) -> None:
    client.world.lie("wrong-amount")
    coin = client.bitcoin.fund(ALICE.script, 300_000)
    result = client.compose(
        ALICE,
        "mpma",
        [coin],
        assets="XCP,XCP",
        quantities="1,2",
        encoding="taproot",
        destinations=f"{BOB.address},{TAPROOT.address}",
    )
    data = message_of(bytes.fromhex(result["envelope_script"]))
    assert data is not None
    message = read_message(data, new_table=True)
    assert isinstance(message, Many)
    assert sorted(line.quantity for line in message.lines) == [2, 2]
    assert result["data"].startswith(b"CNTRPRTY".hex()), "the data shown is what was asked for"
    assert data.hex() not in result["data"]


# --- the node itself ----------------------------------------------------------------------------------


def test_the_node_describes_itself_and_its_troubles(client: Client) -> None:
    about = client.ask("/v2/")
    assert (about["server_ready"], about["network"], about["version"]) == (True, "regtest", "11.5.0")
    assert about["backend_height"] == about["counterparty_height"] == client.bitcoin.height
    assert client.get("/healthz/ready")[0] == client.get("/healthz/live")[0] == 200
    client.world.fall_behind(2)
    about = client.ask("/v2/")
    assert (about["server_ready"], about["backend_height"] - about["counterparty_height"]) == (False, 2)
    assert client.get("/healthz/ready")[0] == 503
    client.world.fall_behind(0)
    client.world.lie_about("mainnet", "11.4.0")
    assert (client.ask("/v2/")["network"], client.ask("/v2/")["version"]) == ("mainnet", "11.4.0")
    client.world.lose_readiness()
    assert client.get(f"/v2/addresses/{ALICE.address}/balances")[0] == 503
    client.world.go_down()
    with pytest.raises(OSError, match=r".*"):
        client.get("/v2/")


def test_unknown_parameters_paths_and_methods_are_refused(client: Client) -> None:
    balances = f"/v2/addresses/{ALICE.address}/balances"
    assert client.get(balances, colour="red") == (400, {"error": "Unrecognized argument: colour"})
    assert client.get(balances, sort="quantity")[0] == 400
    assert client.get(balances, offset=10_001)[0] == 400
    assert client.get("/v2/nothing")[0] == 404
    assert client.get("/v2/assets/NOSUCH")[0] == 404
    assert client.get("/v2/bitcoin/transactions", signedhex="00")[0] == 405
    assert client.get(f"/v2/addresses/{ALICE.address}/compose/send", asset="XCP", quantity=1) == (
        400,
        {"error": "Missing required parameter: destination"},
    )


def test_a_message_is_unpacked_and_balances_are_dressed(client: Client) -> None:
    result = client.compose(
        ALICE,
        "send",
        [client.bitcoin.fund(ALICE.script, 99_000)],
        destination=BOB.address,
        asset="XCP",
        quantity=10,
    )
    shown = client.ask("/v2/transactions/unpack", datahex=result["data"])
    assert shown == {
        "message_type": "enhanced_send",
        "message_type_id": 2,
        "message_data": {"asset": "XCP", "quantity": 10, "address": BOB.address, "memo": None},
    }
    rows = client.ask(f"/v2/addresses/{ALICE.address}/balances", verbose="true")
    assert {row["asset"]: row["quantity_normalized"] for row in rows}["XCP"] == "1000.00000000"
    assert client.ask("/v2/assets/XCP")["divisible"] is True


def test_two_nodes_of_one_ledger_agree_unless_one_is_behind(client: Client) -> None:
    second = client.world.second_node()
    client.do(ALICE, "send", destination=BOB.address, asset="XCP", quantity=3)
    second.fall_behind(1)
    assert second.books().balance(BOB.address, "XCP") == 0
    second.fall_behind(0)
    assert second.books().balance(BOB.address, "XCP") == client.balance(BOB.address) == 3
