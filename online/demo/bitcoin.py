"""The journey on Bitcoin with Counterparty: a send with a memo, a batch to 40, and a sweep, by one crossing of the gap.

The batch is two transactions, of which the second spends the first; both are signed together. The ledgers run only
meanwhile, and have a block every few tenths of a second.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from online import audit, config, people
from online.chains.api import Gateway, Purser
from online.cli.exporting import review_of
from online.demo.diary import Diary
from online.demo.signer_process import SignerProcess, solitude
from online.demo.texts import BITCOIN_POLICY
from online.demo.xrpl import PASSPHRASE
from online.devnet.bitcoin import BitcoinWorld, Miner, serve_bitcoin
from online.devnet.counterparty import CounterpartyWorld, serve_counterparty
from online.jobs.answers import import_answer
from online.jobs.build import build_approved
from online.jobs.export import Exported, export_request
from online.jobs.loop import tick
from online.jobs.model import Job, jobs
from online.jobs.states import ENDS, State
from online.ledger import books
from online.orders.approval import approve
from online.orders.gathering import draft_sweep
from online.orders.model import Order
from online.orders.spending import draft_batch, draft_send
from online.orders.writing import Asking
from online.store.assets import add_asset
from online.store.database import Store, open_store
from online.store.people import add_person
from online.store.signers import pair_signer, signer
from online.store.wallets import import_card, keys
from shared.chains.bitcoin.addresses import address_of
from shared.courier.inward import carry_in
from shared.courier.outward import Ways, carry_out
from shared.effects import Destination
from shared.errors import DemoFailed
from shared.money import Amount, Asset
from shared.people import parse_person
from shared.person_key import PersonKey
from shared.transport.media import read_file, write_file

NETWORK: Final = "bitcoin:regtest"
XCP: Final = Asset(NETWORK, "XCP", 8)
RECIPIENTS: Final = 40
_COIN: Final = 10**8
_ADDRESSES: Final = {"treasury": 1, "deposits": 8}
_BLOCK_SECONDS: Final = 0.3
_PATIENCE_SECONDS: Final = 30
_SETTINGS: Final = """\
counterparty_url = "{url}"
confirmations = 2
fallback_rate = 4000
"""


class BitcoinJourney:
    """One run: both ledgers, one signer and the coordinator, each in a folder of its own."""

    def __init__(self, folder: Path, diary: Diary) -> None:
        self._folder, self._diary, self._begun = folder, diary, len(diary.steps)
        self._crossing, self._people = folder / "crossing", folder / "people"
        self._signer = SignerProcess(folder / "signer")
        self._stack = ExitStack()
        self._lines: dict[str, str] = {}
        self._world = BitcoinWorld()
        self._tokens = CounterpartyWorld(self._world)

    def __enter__(self) -> Self:
        for folder in (self._folder, self._crossing, self._people, self._folder / "audit"):
            folder.mkdir()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def run(self) -> dict[str, Any]:
        """Make the whole journey and give its report."""
        begun = time.monotonic()
        self._set_up()
        orders = self._order()
        request, shown = self._export()
        answer = self._sign(request)
        done = self._settle(orders)
        checkpoints = self._prove()
        return {
            "name": "bitcoin",
            "network": NETWORK,
            "seconds": round(time.monotonic() - begun, 2),
            "steps": self._diary.steps[self._begun :],
            "tx_id": done["batch"].tx_id,
            "tx_ids": {name: job.tx_id for name, job in done.items()},
            "frames": {"request": shown, "answer": answer},
            "checkpoints": checkpoints,
            "signer_without_network": bool(solitude()),
            "places": self._places(),
        }

    # --- the first set-up -----------------------------------------------------------------------

    def _set_up(self) -> None:
        with self._diary.step("a Bitcoin and a Counterparty start, with a block every few tenths of a second"):
            for server in (self._node, self._api):
                self._stack.enter_context(server)
        with self._diary.step("administrators, the approver and the signer get their keys"):
            for name in ("dora", "emil", "carol"):
                options = ("--out", self._people / f"{name}.key", "--network-class", "test", "--kdf", "light")
                self._lines[name] = self._signer.run(
                    "person", "new", name, *options, lines=(PASSPHRASE, PASSPHRASE)
                ).strip()
            line = self._signer.make([self._lines["dora"], self._lines["emil"]], 2, PASSPHRASE)
        with self._diary.step("the coordinator is set up; the wallets get their first money; the books open"):
            self._meet(line)
            for account, name in enumerate(_ADDRESSES):
                self._card(name, account)
            self._fund()
        with self._diary.step("a policy that names XCP and its decimals is sealed and installed on the signer"):
            self._install_policy()
        self._stack.enter_context(Miner(self._world, _BLOCK_SECONDS, idle=True))

    def _meet(self, line: str) -> None:
        self._lines["station"] = people.new_station(self._config, PASSPHRASE, "light").line
        for key in (self._alice, self._bob):
            add_person(self._store, key.name, key.public_key, _now())
        pair_signer(self._store, parse_person(line).key, "signer", _now())
        add_asset(self._store, NETWORK, XCP.code, XCP.decimals, _now())

    def _card(self, name: str, account: int) -> None:
        file, count = self._crossing / f"{name}.card", _ADDRESSES[name]
        options = ("--network", NETWORK, "--tier", "cold", "--account", str(account), "--count", str(count))
        self._signer.run("card", name, *options, "--out", file, lines=(PASSPHRASE,))
        import_card(self._store, read_file(file), _now(), addresses=count)

    def _fund(self) -> None:
        (treasury,) = self._addresses("treasury")
        deposits = self._addresses("deposits")
        self._world.fund_all([(treasury, _COIN // 2)] * 2 + [(each, _COIN // 100) for each in deposits])
        self._tokens.credit(treasury, XCP.code, 1_000 * _COIN)
        for name in _ADDRESSES:
            books.open_wallet(self._store, name, self._gateways[NETWORK], _now())
        self._diary.tell("the treasury holds 1 BTC and 1 000 XCP, and 8 deposit addresses 0.01 BTC each")

    def _install_policy(self) -> None:
        text, sealed = self._crossing / "policy.toml", self._crossing / "policy.sealed"
        places = {name: _texts(self._addresses(name)) for name in _ADDRESSES}
        write_file(text, BITCOIN_POLICY.format(**self._lines, **places).encode())
        dora, emil = self._people / "dora.key", self._people / "emil.key"
        self._signer.run("policy", "draft", text, "--as", dora, "--out", sealed, lines=(PASSPHRASE,))
        self._signer.run("policy", "sign", sealed, "--as", emil, lines=(PASSPHRASE,))
        self._signer.run("policy", "install", sealed, lines=(PASSPHRASE,))

    # --- the crossing ---------------------------------------------------------------------------

    def _order(self) -> dict[str, Order]:
        with self._diary.step(f"alice drafts a send with a memo, a batch to {RECIPIENTS}, and a sweep; bob approves"):
            drafted = {name: self._drafts[name](self._asking(name)) for name in ("send", "batch", "sweep")}
            for order in drafted.values():
                approve(self._store, order.id, person=self._bob.person, sign=self._bob.sign, now=_now())
            return drafted

    @cached_property
    def _drafts(self) -> Mapping[str, Callable[[Asking], Order]]:
        lines = [
            (Destination(_somebody(number), memo=f'"order {number}"'), Amount(XCP, number * _COIN // 10))
            for number in range(1, RECIPIENTS + 1)
        ]
        one = Destination(_somebody(0), memo='"invoice 2026-17"'), Amount(XCP, 25 * _COIN)
        purser = self._gateways[NETWORK]
        assert isinstance(purser, Purser)
        (holding,) = self._addresses("treasury")
        return {
            "send": lambda asking: draft_send(self._store, asking, wallet="treasury", payment=one),
            "batch": lambda asking: draft_batch(self._store, asking, wallet="treasury", payments=lines),
            "sweep": lambda asking: draft_sweep(self._store, purser, asking, wallet="deposits", to=holding),
        }

    def _asking(self, name: str) -> Asking:
        return Asking(name, self._alice.person, self._alice.sign, _now())

    def _export(self) -> tuple[Exported, dict[str, int]]:
        with self._diary.step("the coordinator builds four transactions and exports one request for all of them"):
            build_approved(self._store, self._gateways, _now())
            exported = export_request(self._store, signer(self._store, "signer").public_key, _now())
            ways = Ways(self._crossing / "request.bin", self._crossing / "request.gif", self._crossing / "request-qr")
            shown = carry_out(exported.blob, ways)
            lines = review_of(self._store, exported.digest).lines
            for line in lines[:6]:
                self._diary.tell(line)
            self._diary.tell(f"and {len(lines) - 6} more lines")
            return exported, {"needed": shown.needed, "shown": shown.shown}

    def _sign(self, request: Exported) -> dict[str, int]:
        with self._diary.step("the signer reads the GIF and shows the same review with the same fingerprint"):
            seen = self._signer.ask("inspect", self._crossing / "request.gif")
            mine = review_of(self._store, request.digest)
            if (seen["review"], seen["fingerprint"]) != (list(mine.lines), mine.fingerprint):
                raise DemoFailed("the two machines do not show the same")
        with self._diary.step("carol approves once; the signer signs all, commit and reveal of the batch together"):
            pictures = self._crossing / "answer-qr"
            ways = ("--png", pictures, "--gif", self._crossing / "answer.gif", "--out", self._crossing / "answer.bin")
            who = ("--as", self._people / "carol.key", "--yes")
            self._signer.run("sign", self._crossing / "request.gif", *who, *ways, lines=(PASSPHRASE, PASSPHRASE))
        with self._diary.step("the coordinator reads the answer's pictures and verifies every signature"):
            received = carry_in(str(pictures), lambda _scan: None)
            import_answer(self._store, received.sealed, _now())
            assert received.scan is not None
            return {"needed": received.scan.progress.count, "shown": len(list(pictures.iterdir()))}

    # --- the ledger and the books ---------------------------------------------------------------

    def _settle(self, orders: Mapping[str, Order]) -> dict[str, Job]:
        with self._diary.step("the coordinator submits them and watches until the ledgers have decided"):
            end = time.monotonic() + _PATIENCE_SECONDS
            while any(job.state not in ENDS for job in jobs(self._store)) and time.monotonic() < end:
                tick(self._store, self._gateways, _now())
                time.sleep(_BLOCK_SECONDS / 2)
            done = {name: jobs(self._store, order=order.id)[0] for name, order in orders.items()}
            for name, job in done.items():
                if job.state is not State.FINAL:
                    raise DemoFailed(f"the {name} ended {job.state}: {job.result}")
                self._diary.tell(f"{name}: {job.result}, transaction {job.tx_id}")
            held = sum(self._tokens.books().balance(_somebody(number), XCP.code) for number in range(RECIPIENTS + 1))
            self._diary.tell(f"the {RECIPIENTS + 1} recipients hold {Amount(XCP, held)} in all")
            return done

    def _prove(self) -> dict[str, str]:
        with self._diary.step("the books add up, and both ledgers hold what they say"):
            problems = [*books.prove_balances(self._store)]
            found = books.check(self._store, self._gateways)
            problems += [f"{one.wallet} differs in {one.asset.code}" for one in found if one.difference]
            if problems:
                raise DemoFailed("; ".join(problems))
            for one in found:
                self._diary.tell(f"{one.wallet}: {Amount(one.asset, one.books)}")
        with self._diary.step("both journals verify, and signer, store and ledger tell the same"):
            exported = self._folder / "audit" / "signer.journal"
            self._signer.run("journal", "export", exported)
            write_file(self._folder / "audit" / "coordinator.journal", audit.audit_lines(self._store))
            own = audit.verify(self._store)
            key = signer(self._store, "signer").public_key
            compared = audit.compare(self._store, key, read_file(exported), self._gateways)
            if not (self._signer.ask("journal", "verify")["ok"] and own.ok and compared.ok):
                raise DemoFailed("; ".join(own.problems) or "the three do not tell the same")
        return {"signer": signer(self._store, "signer").checkpoint, "coordinator": own.checkpoint}

    # --- what it works on -----------------------------------------------------------------------

    @cached_property
    def _node(self) -> Any:
        return serve_bitcoin(self._world)

    @cached_property
    def _api(self) -> Any:
        return serve_counterparty(self._tokens)

    @cached_property
    def _config(self) -> config.Config:
        node, home = self._node, self._folder / "coordinator"
        url = node.url.replace("http://", f"http://{node.user}:{node.password}@")
        config.create(home, "coordinator", NETWORK, url)
        file = home / "config.toml"
        write_file(file, read_file(file) + _SETTINGS.format(url=self._api.url).encode(), overwrite=True)
        return config.load(home)

    @cached_property
    def _store(self) -> Store:
        store = open_store(self._config.store_url, people.open_station(self._config, PASSPHRASE))
        self._stack.callback(store.close)
        return store

    @cached_property
    def _gateways(self) -> dict[str, Gateway]:
        found = config.gateways(self._config)
        for gateway in found.values():
            self._stack.callback(gateway.close)  # type: ignore[attr-defined]
        return found

    @cached_property
    def _alice(self) -> PersonKey:
        return people.new_person(self._config, "alice", PASSPHRASE, "light")

    @cached_property
    def _bob(self) -> PersonKey:
        return people.new_person(self._config, "bob", PASSPHRASE, "light")

    def _addresses(self, wallet: str) -> list[str]:
        return [key.address for key in keys(self._store, wallet)]

    def _places(self) -> dict[str, str]:
        places = {
            "signer_journal": "audit/signer.journal",
            "coordinator_journal": "audit/coordinator.journal",
            "request_pictures": "crossing/request-qr",
            "request_film": "crossing/request.gif",
            "answer_pictures": "crossing/answer-qr",
            "answer_film": "crossing/answer.gif",
            "books": "coordinator/lockgate.db",
            "coordinator": "coordinator",
        }
        return {name: str(self._folder / place) for name, place in places.items()}


def _somebody(number: int) -> str:
    """Give an address of which nobody has the key."""
    return address_of(b"\x00\x14" + hashlib.sha256(b"recipient %d" % number).digest()[:20], NETWORK)


def _texts(addresses: list[str]) -> str:
    return "[" + ", ".join(f'"{address}"' for address in addresses) + "]"


def _now() -> int:
    return int(time.time())
