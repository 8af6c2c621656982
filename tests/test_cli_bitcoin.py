"""The commands that draft orders on Bitcoin, as a person types them, on a served devnet, as far as the request."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from offline_signer import setup
from offline_signer.box import opened
from online.devnet.bitcoin import BitcoinWorld, serve_bitcoin
from online.devnet.counterparty import CounterpartyWorld, serve_counterparty
from online.store.assets import add_asset
from online.store.database import open_store
from shared.errors import BadAsset
from shared.lockbox import LIGHT
from shared.policy import Person
from tests.btc_gateway_bench import friend, login
from tests.cli_house import PASSPHRASE, Done, lockgate
from tests.online_world import NOW, STATION
from tests.signing_world import Somebody
from tests.store_place import store_url

NETWORK = "bitcoin:regtest"
SEND = ("send", "--to", friend(1), "--amount", "1")


@dataclass
class Desk:
    folder: Path
    bitcoin: BitcoinWorld
    addresses: list[str]

    def run(self, *words: str | Path) -> Done:
        return lockgate("--home", self.folder / "home", *words)

    def ok(self, *words: str | Path) -> Any:
        done = self.run(*words, "--json")
        assert done.code == 0, done.err
        return done.json

    def draft(self, *words: str | Path) -> Any:
        return self.ok(*words, "--wallet", "cold", "--as", "alice")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    bitcoin = BitcoinWorld()
    counterparty = CounterpartyWorld(bitcoin)
    counterparty.issue("BOOKCARD", divisible=False)
    with serve_bitcoin(bitcoin) as node, serve_counterparty(counterparty) as api:
        made = Desk(folder, bitcoin, [])
        made.ok("init", "--network", NETWORK, "--url", login(node), "--kdf", "light")
        config = folder / "home" / "config.toml"
        more = f'counterparty_url = "{api.url}"\nfallback_rate = 4000\nprime_least = "0.0004"\n'
        config.write_text(config.read_text() + more)
        for name in ("alice", "bob"):
            assert made.run("person", "new", name, "--kdf", "light").code == 0
        made.ok("asset", "add", NETWORK, "XCP", "8")
        made.addresses += _cards(made)
        bitcoin.fund_all([(made.addresses[0], 10**8)] * 9 + [(made.addresses[1], 10_000)])
        counterparty.credit(made.addresses[0], "XCP", 10**12)
        made.ok("books", "open", "cold")
        yield made


def _cards(desk: Desk) -> list[str]:
    station = setup.make(
        desk.folder / "box", setup.new_words(""), PASSPHRASE, network_class="test",
        administrators=[Person("ann", Somebody("ann").public)], quorum=1, kdf=LIGHT, clock=lambda: int(time.time()),
    )  # fmt: skip
    desk.ok("wallet", "pair", f"box ed25519:{station.hex()}")
    with opened(desk.folder / "box", PASSPHRASE, lambda: int(time.time())) as box:
        card = setup.issue_card(
            box, "cold", network=NETWORK, tier="cold", curve="secp256k1", account=0, count=3
        )
    (desk.folder / "cold.card").write_bytes(card)
    row = desk.ok("wallet", "import", desk.folder / "cold.card", "--addresses", "3", "--no-open")
    return list(row["addresses"])


def test_a_payment_to_two_is_one_job_with_its_fee_rate(desk: Desk) -> None:
    order = desk.draft("pay", "--to", friend(1), "0.25", "--to", friend(2), "0.5", "--fee-rate", "4.5", "--key", "two")
    assert order["kind"] == "pay"
    assert len(order["lines"]) == 2
    assert "0.25 BTC" in order["lines"][0]
    (job,) = desk.ok("order", "show", "two")["jobs"]
    assert job["kind"] == "payment"


def test_a_send_has_a_memo_as_text_or_as_hex(desk: Desk) -> None:
    send = ("send", "--to", friend(1), "--amount", "1.5", "--asset", "XCP")
    assert desk.draft(*send, "--memo", "order 7")["lines"][0].endswith('memo "order 7"')
    assert desk.draft(*send, "--memo-hex", "00ff")["lines"][0].endswith("memo hex 00ff")
    assert desk.run(*send, "--memo", "a", "--memo-hex", "00", "--wallet", "cold", "--as", "alice").refused("bad-lines")


def test_an_asset_that_nobody_noted_is_refused(desk: Desk) -> None:
    done = desk.run("send", "--to", friend(1), "--amount", "1", "--asset", "PEPE", "--wallet", "cold", "--as", "alice")
    assert done.refused("unknown-asset")
    assert [row["code"] for row in desk.ok("asset", "list")] == ["XCP"]
    assert desk.run("asset", "add", NETWORK, "XCP", "0").refused("bad-asset")


@pytest.mark.parametrize(
    ("code", "decimals"), [("BOOKCARD", "8"), ("NOSUCHTHING", "8"), ("BTC", "8"), ("bookcard", "0")]
)
def test_an_asset_is_not_noted_otherwise_than_its_ledger_has_it(desk: Desk, code: str, decimals: str) -> None:
    assert desk.run("asset", "add", NETWORK, code, decimals).refused("bad-asset")
    assert "BOOKCARD" not in [row["code"] for row in desk.ok("asset", "list")]


@pytest.mark.parametrize(
    ("network", "code", "decimals"),
    [
        (NETWORK, "XCP", 5), (NETWORK, "xcp", 8), (NETWORK, "A", 0), ("near:localnet", "{}'", 6),
        ("near:localnet", "X", 6),
    ],
)  # fmt: skip
def test_what_no_ledger_can_have_is_not_noted_though_no_node_is_asked(
    tmp_path: Path, network: str, code: str, decimals: int
) -> None:
    store = open_store(store_url(tmp_path), STATION)
    with pytest.raises(BadAsset, match="can have no asset"):
        add_asset(store, network, code, decimals, NOW)
    store.close()


def test_an_asset_that_no_node_can_confirm_is_noted_with_a_word_about_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = lockgate("--home", home, "init", "--network", NETWORK, "--url", "http://127.0.0.1:1", "--kdf", "light")
    assert made.code == 0, made.err
    for more in ("", 'counterparty_url = "http://127.0.0.1:1"\n'):
        with (home / "config.toml").open("a") as file:
            file.write(more)
        done = lockgate("--home", home, "asset", "add", NETWORK, "XCP", "8")
        assert done.code == 0, done.err
        assert "not compared with the ledger" in done.err


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_batch_comes_from_a_table_or_from_json_lines(desk: Desk, form: str) -> None:
    rows = [{"destination": friend(n), "asset": "XCP", "amount": f"0.0{n}", "memo": f"no {n}"} for n in range(1, 6)]
    file = desk.folder / f"batch.{form}"
    table = ["destination,asset,amount,memo", *(",".join(row.values()) for row in rows)]
    file.write_text("\n".join(map(json.dumps, rows) if form == "json" else table))
    order = desk.draft("batch", file, "--most", "3")
    assert order["states"] == ["2 drafted"]
    assert order["lines"][4].endswith('memo "no 5"')


@pytest.mark.parametrize(
    "text",
    ["", "destination,sum\nx,1\n", "destination,amount\nx\n", "destination,amount\nnobody,1\n", "{}\n",
     '{"destination": "x", "amount": 1}\n', "{\n", "destination,amount\n,1\n"],
)  # fmt: skip
def test_lines_that_can_not_be_read_are_refused(desk: Desk, text: str) -> None:
    file = desk.folder / "bad.csv"
    file.write_text(text)
    assert desk.run("batch", file, "--wallet", "cold", "--as", "alice").refused("bad-lines")


def test_options_name_every_address(desk: Desk) -> None:
    order = desk.draft("options", "--memo-required", "--all-addresses")
    assert order["lines"] == [f"counterparty-options of {one}: options 1" for one in desk.addresses]


def test_priming_tops_up_what_holds_less_than_the_settings_say(desk: Desk) -> None:
    order = desk.draft("prime", "--for", "cold")
    assert [line.split()[:2] for line in order["lines"]] == [["0.0004", "BTC"]] * 2
    order = desk.draft("prime", "--for-memo", "cold")
    assert [line.split()[:2] for line in order["lines"]] == [["0.001", "BTC"]] * 2


def test_a_sweep_says_the_amount_that_is_left_after_its_fee(desk: Desk) -> None:
    (line,) = desk.draft("sweep", "--to", friend(9))["lines"]
    assert 8.99 < float(line.split()[0]) < 9.0002
    assert len(desk.draft("sweep", "--to", friend(9), "--asset", "XCP")["lines"]) == 1
    (line,) = desk.draft("sweep", "--to", friend(9), "--everything")["lines"]
    assert line == f"counterparty-sweep of {desk.addresses[0]}: flags 1, destination {friend(9)}"
    assert desk.run("sweep", "--to", friend(9), "--ownerships", "--wallet", "cold", "--as", "alice").code == 2


def test_an_order_that_can_not_be_built_is_named_where_all_are_exported(desk: Desk) -> None:
    desk.draft("pay", "--to", friend(1), "50", "--key", "too much")
    desk.ok("approve", "too much", "--as", "bob")
    done = desk.run("request", "export", "--out", desk.folder / "none")
    assert done.refused("coins-short")
    assert "of order too much: " in done.err
    (job,) = desk.ok("order", "show", "too much")["jobs"]
    desk.ok("order", "withdraw", str(job["job"]))


def test_only_what_is_on_its_way_is_bumped(desk: Desk) -> None:
    desk.draft("pay", "--to", friend(1), "0.1", "--key", "bumped", "--address", desk.addresses[0])
    desk.ok("approve", "bumped", "--as", "bob")
    (job,) = desk.ok("order", "show", "bumped")["jobs"]
    assert desk.run("bump", str(job["job"]), "--as", "alice").refused("move-refused")
    desk.ok("request", "export", "bumped", "--out", desk.folder / "request")
    made = desk.ok("bump", str(job["job"]), "--fee-rate", "20", "--as", "alice")
    assert (made["state"], made["replaces"]) == ("approved", job["job"])


def test_the_books_count_assets_beside_bitcoins(desk: Desk) -> None:
    rows = desk.ok("books", "check")
    assert {(row["asset"], row["difference"]) for row in rows} == {("BTC", "0 BTC"), ("XCP", "0 XCP")}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("pay", "--to", friend(1), "0.00000293"), "payment-dust"),
        ((*SEND, "--asset", "BTC", "--memo", "x"), "bad-plan"),
        ((*SEND, "--asset", "XCP", "--memo", "m" * 35), "counterparty-memo-refused"),
        ((*SEND, "--asset", "XCP", "--memo-hex", "00" * 35), "counterparty-memo-refused"),
    ],
)
def test_what_could_never_be_built_is_refused_before_anybody_signs_it(
    desk: Desk, words: tuple[str, ...], code: str
) -> None:
    before = len(desk.ok("order", "list"))
    assert desk.run(*words, "--wallet", "cold", "--as", "alice").refused(code)
    assert len(desk.ok("order", "list")) == before


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([f"{friend(1)},BTC,1,a", f"{friend(2)},XCP,1,b"], "bad-plan"),
        ([f"{friend(1)},XCP,1,{'m' * 64}", f"{friend(2)},XCP,1,b"], "counterparty-memo-refused"),
        ([f"{friend(1)},XCP,92233720368.54775808,a", f"{friend(2)},XCP,1,b"], "counterparty-quantity-refused"),
    ],
)
def test_a_batch_that_could_never_be_built_is_refused_likewise(desk: Desk, rows: list[str], code: str) -> None:
    file = desk.folder / "never.csv"
    file.write_text("\n".join(["destination,asset,amount,memo", *rows]))
    assert desk.run("batch", file, "--wallet", "cold", "--as", "alice").refused(code)


def test_the_bytes_of_what_is_not_signed_are_not_shown(desk: Desk) -> None:
    desk.draft("pay", "--to", friend(1), "0.1", "--key", "unsigned")
    (job,) = desk.ok("order", "show", "unsigned")["jobs"]
    assert job["said"] == ""
    assert desk.run("order", "raw", str(job["job"])).refused("move-refused")
    assert desk.run("order", "raw", "999").refused("unknown-job")
