"""The journey on the XRPL: from nothing to a validated payment, balanced books and journals that verify."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from online import audit, config, people
from online.chains.api import Gateway
from online.cli.exporting import review_of
from online.demo.diary import Diary
from online.demo.signer_process import SignerProcess, solitude
from online.demo.texts import POLICY, README
from online.devnet.server import Closer, serve
from online.devnet.xrpl import XrplWorld
from online.devnet.xrpl.storage import save_world
from online.jobs.answers import import_answer
from online.jobs.build import build_approved
from online.jobs.export import Exported, export_request
from online.jobs.loop import tick
from online.jobs.model import Job, jobs
from online.jobs.states import State
from online.ledger import books
from online.orders.approval import approve
from online.orders.drafting import draft_rebalance
from online.orders.model import Order
from online.orders.writing import Asking
from online.store.database import Store, open_store
from online.store.people import add_person
from online.store.signers import pair_signer, signer
from online.store.wallets import Wallet, import_card, keys
from shared import chains
from shared.courier.inward import carry_in
from shared.courier.outward import Carried, Ways, carry_out
from shared.errors import DemoFailed
from shared.money import Amount, parse_amount
from shared.people import parse_person
from shared.person_key import PersonKey
from shared.transport.media import read_file, write_file

NETWORK: Final = "xrpl:local"
PASSPHRASE: Final = "open both gates never"  # noqa: S105 - it guards nothing, and is told to who runs this
AMOUNT: Final = "80000"
_FUNDS: Final = {"cold": "100000", "hot": "1000"}
_LEDGER_SECONDS: Final = 0.4
_PATIENCE_SECONDS: Final = 30


class XrplJourney:
    """One run: the ledger, the two signers and the coordinator, each in a folder of its own."""

    def __init__(self, folder: Path, diary: Diary) -> None:
        self._folder, self._diary = folder, diary
        self._crossing, self._people = folder / "crossing", folder / "people"
        self._cold = SignerProcess(folder / "signer-cold")
        self._hot = SignerProcess(folder / "signer-hot")
        self._stack = ExitStack()
        self._lines: dict[str, str] = {}
        self._world = XrplWorld()

    def __enter__(self) -> Self:
        for folder in (self._crossing, self._people, self._folder / "audit"):
            folder.mkdir()
        write_file(self._folder / "README.txt", README.format(passphrase=PASSPHRASE).encode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def run(self) -> dict[str, Any]:
        """Make the whole journey and give its report."""
        begun = time.monotonic()
        self._set_up()
        order = self._order()
        request, shown = self._export(order)
        answer = self._sign(request)
        job = self._settle(order)
        checkpoints = self._prove(job)
        return {
            "name": "xrpl",
            "network": NETWORK,
            "seconds": round(time.monotonic() - begun, 2),
            "steps": list(self._diary.steps),
            "tx_id": job.tx_id,
            "frames": {"request": _frames(shown), "answer": answer},
            "checkpoints": checkpoints,
            "signer_without_network": bool(solitude()),
            "places": self._places(),
        }

    # --- the first set-up -----------------------------------------------------------------------

    def _set_up(self) -> None:
        with self._diary.step("a ledger of its own starts, and closes every few tenths of a second"):
            self._stack.enter_context(self._server)
            self._stack.enter_context(Closer(self._world, _LEDGER_SECONDS))
        with self._diary.step("administrators dora and emil, and the approver carol, get their keys at the signer"):
            for name in ("dora", "emil", "carol"):
                self._new_key(name)
        with self._diary.step("two signers make their vaults; each asks its 24 words back"):
            for name, box in (("cold", self._cold), ("hot", self._hot)):
                line = box.make([self._lines["dora"], self._lines["emil"]], 2, PASSPHRASE)
                self._lines[f"signer-{name}"] = line
            alone = "each without any network" if solitude() else "though with a network: it can not be removed here"
            self._diary.tell(f"the signers run as processes of their own, {alone}")
        with self._diary.step("the coordinator is set up; alice drafts here, bob approves; the signers are paired"):
            self._meet()
        with self._diary.step("the signers' cards bring the wallets; they get their first money; the books open"):
            self._fund({name: self._card(name, box) for name, box in (("cold", self._cold), ("hot", self._hot))})
        with self._diary.step("a policy is sealed by both administrators and installed on the cold signer"):
            self._install_policy()

    def _new_key(self, name: str) -> None:
        file = self._people / f"{name}.key"
        options = ("--out", file, "--network-class", "test", "--kdf", "light")
        lines = (PASSPHRASE, PASSPHRASE)
        self._lines[name] = self._cold.run("person", "new", name, *options, lines=lines).strip()

    def _meet(self) -> None:
        self._lines["station"] = people.new_station(self._config, PASSPHRASE, "light").line
        for key in (self._alice, self._bob):
            add_person(self._store, key.name, key.public_key, _now())
        for name in ("cold", "hot"):
            pair_signer(self._store, parse_person(self._lines[f"signer-{name}"]).key, f"signer-{name}", _now())

    def _card(self, name: str, box: SignerProcess) -> Wallet:
        file = self._crossing / f"{name}.card"
        box.run("card", name, "--network", NETWORK, "--tier", name, "--out", file, lines=(PASSPHRASE,))
        return import_card(self._store, read_file(file), _now())

    def _fund(self, wallets: Mapping[str, Wallet]) -> None:
        self._lines |= {name: keys(self._store, name)[0].address for name in wallets}
        self._world.fund_all({self._lines[name]: _xrp(_FUNDS[name]).units for name in wallets})
        for name in wallets:
            opened = books.open_wallet(self._store, name, self._gateways[NETWORK], _now())
            self._diary.tell(f"{name} {self._lines[name]} holds {Amount(opened.asset, opened.posted)}")

    def _install_policy(self) -> None:
        text, sealed = self._crossing / "policy.toml", self._crossing / "policy.sealed"
        write_file(text, POLICY.format(**self._lines).encode())
        dora, emil = self._people / "dora.key", self._people / "emil.key"
        self._cold.run("policy", "draft", text, "--as", dora, "--out", sealed, lines=(PASSPHRASE,))
        self._cold.run("policy", "sign", sealed, "--as", emil, lines=(PASSPHRASE,))
        self._cold.run("policy", "install", sealed, lines=(PASSPHRASE,))

    # --- the crossing ---------------------------------------------------------------------------

    def _order(self) -> Order:
        with self._diary.step(f"alice drafts: {_xrp(AMOUNT)} from cold to hot; bob approves"):
            alice, bob, now = self._alice, self._bob, _now()
            asking = Asking("demo", alice.person, alice.sign, now)
            drafted = draft_rebalance(
                self._store, asking, from_wallet="cold", to_wallet="hot", amount=_xrp(AMOUNT)
            )
            return approve(self._store, drafted.id, person=bob.person, sign=bob.sign, now=now)

    def _export(self, order: Order) -> tuple[Exported, Carried]:
        with self._diary.step("the coordinator builds the transaction and exports the request: file, GIF, pictures"):
            build_approved(self._store, self._gateways, _now(), order=order.id)
            cold = signer(self._store, "signer-cold").public_key
            exported = export_request(self._store, cold, _now(), order=order.id)
            ways = Ways(self._crossing / "request.bin", self._crossing / "request.gif", self._crossing / "request-qr")
            shown = carry_out(exported.blob, ways)
            for line in review_of(self._store, exported.digest).lines:
                self._diary.tell(line)
            return exported, shown

    def _sign(self, request: Exported) -> dict[str, int]:
        with self._diary.step("the signer reads the GIF and shows the same review with the same fingerprint"):
            seen = self._cold.ask("inspect", self._crossing / "request.gif")
            mine = review_of(self._store, request.digest)
            if (seen["review"], seen["fingerprint"]) != (list(mine.lines), mine.fingerprint):
                raise DemoFailed("the two machines do not show the same")
        with self._diary.step("carol approves; the signer judges by its policy, writes its journal, and signs"):
            pictures = self._crossing / "answer-qr"
            ways = ("--png", pictures, "--gif", self._crossing / "answer.gif", "--out", self._crossing / "answer.bin")
            who = ("--as", self._people / "carol.key", "--yes")
            self._cold.run("sign", self._crossing / "request.gif", *who, *ways, lines=(PASSPHRASE, PASSPHRASE))
        with self._diary.step("the coordinator reads the answer's pictures and verifies every signature"):
            received = carry_in(str(pictures), lambda _scan: None)
            import_answer(self._store, received.sealed, _now())
            assert received.scan is not None
            shown = len(list(pictures.iterdir()))
            return {"needed": received.scan.progress.count, "shown": shown}

    # --- the ledger and the books ---------------------------------------------------------------

    def _settle(self, order: Order) -> Job:
        with self._diary.step("the coordinator submits it and watches until the ledger has decided"):
            end = time.monotonic() + _PATIENCE_SECONDS
            job = self._turn(order)
            while job.state in (State.ANSWERED, State.SUBMITTED) and time.monotonic() < end:
                time.sleep(_LEDGER_SECONDS / 4)
                job = self._turn(order)
            if job.state is not State.FINAL:
                raise DemoFailed(f"the transaction ended {job.state}: {job.result}")
            self._diary.tell(f"final: {job.result}, transaction {job.tx_id}")
            return job

    def _turn(self, order: Order) -> Job:
        tick(self._store, self._gateways, _now())
        (job,) = jobs(self._store, order=order.id)
        return job

    def _prove(self, job: Job) -> dict[str, str]:
        with self._diary.step("the books add up, and the ledger holds what they say"):
            self._check_books()
        with self._diary.step("both journals verify, and signer, store and ledger tell the same"):
            exported = self._folder / "audit" / "signer-cold.journal"
            proven = self._cold.ask("journal", "verify")
            self._cold.run("journal", "export", exported)
            write_file(self._folder / "audit" / "coordinator.journal", audit.audit_lines(self._store))
            key = signer(self._store, "signer-cold").public_key
            own = audit.verify(self._store)
            compared = audit.compare(self._store, key, read_file(exported), self._gateways)
            if not (proven["ok"] and own.ok and compared.ok):
                raise DemoFailed("; ".join(own.problems) or "the three do not tell the same")
            self._diary.tell(f"the signer's journal has {proven['entries']} entries, the coordinator's {own.entries}")
        save_world(self._world, self._folder / "ledger.json")
        return {"signer": signer(self._store, "signer-cold").checkpoint, "coordinator": own.checkpoint}

    def _check_books(self) -> None:
        problems = [*books.prove_balances(self._store)]
        problems += [f"{one.wallet} differs" for one in books.check(self._store, self._gateways) if one.difference]
        balances = {one.account: one for one in books.balance_sheet(self._store)}
        expected = _xrp(_FUNDS["hot"]).units + _xrp(AMOUNT).units
        if problems or balances["wallet:hot"].posted != expected:
            raise DemoFailed("; ".join(problems) or "the hot wallet did not get what was sent")
        for one in balances.values():
            sign = "-" if one.posted < 0 else ""
            self._diary.tell(f"{one.account}: {sign}{Amount(one.asset, abs(one.posted))}")

    # --- what it works on -----------------------------------------------------------------------

    @cached_property
    def _server(self) -> Any:
        return serve(self._world)

    @cached_property
    def _config(self) -> config.Config:
        return config.create(self._folder / "coordinator", "coordinator", NETWORK, self._server.url)

    @cached_property
    def _store(self) -> Store:
        store = open_store(self._config.store_url, people.open_station(self._config, PASSPHRASE))
        self._stack.callback(store.close)
        return store

    @cached_property
    def _gateways(self) -> dict[str, Gateway]:
        return config.gateways(self._config)

    @cached_property
    def _alice(self) -> PersonKey:
        return people.new_person(self._config, "alice", PASSPHRASE, "light")

    @cached_property
    def _bob(self) -> PersonKey:
        return people.new_person(self._config, "bob", PASSPHRASE, "light")

    def _places(self) -> dict[str, str]:
        places = {
            "signer_journal": "audit/signer-cold.journal",
            "coordinator_journal": "audit/coordinator.journal",
            "request_pictures": "crossing/request-qr",
            "request_film": "crossing/request.gif",
            "answer_pictures": "crossing/answer-qr",
            "answer_film": "crossing/answer.gif",
            "books": "coordinator/lockgate.db",
            "coordinator": "coordinator",
        }
        return {name: str(self._folder / place) for name, place in places.items()}


def _frames(carried: Carried) -> dict[str, int]:
    return {"needed": carried.needed, "shown": carried.shown}


def _xrp(amount: str) -> Amount:
    return parse_amount(amount, chains.chain(NETWORK).network(NETWORK).native)


def _now() -> int:
    return int(time.time())
