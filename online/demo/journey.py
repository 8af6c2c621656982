"""One ledger's part of the demonstration, from nothing to balanced books and journals that verify.

What is alike on every ledger stands here: people, signers, wallets, policy, the crossing of the gap, the books. A
ledger's own journey says which world it runs on, what is funded and ordered, and how that has to end.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Final, Self

from online import audit, config, people
from online.chains.api import Gateway
from online.cli.exporting import review_of
from online.demo.diary import Diary
from online.demo.signer_process import SignerProcess, solitude
from online.jobs.answers import import_answer
from online.jobs.build import build_approved
from online.jobs.export import Exported, export_request
from online.jobs.loop import tick
from online.jobs.model import Job, jobs
from online.jobs.states import ENDS, State
from online.ledger import books
from online.orders.approval import approve
from online.orders.model import Order
from online.orders.writing import Asking
from online.store.assets import add_asset
from online.store.database import Store, open_store
from online.store.people import add_person
from online.store.signers import pair_signer, signer
from online.store.wallets import import_card, keys
from shared.courier.inward import carry_in
from shared.courier.outward import Carried, Ways, carry_out
from shared.errors import DemoFailed
from shared.money import Amount, Asset
from shared.people import parse_person
from shared.person_key import PersonKey
from shared.transport.media import read_file, write_file

PASSPHRASE: Final = "open both gates never"  # noqa: S105 - it guards nothing, and is told to who runs this
_PATIENCE_SECONDS: Final = 60
_SHOWN: Final = 7


@dataclass(frozen=True, slots=True)
class Cast:
    """A wallet of the story: its tier, how many keys its card issues, and the signer that holds them."""

    tier: str
    keys: int = 1
    box: str = "signer"


class Journey(ABC):
    """One run: a world of the ledger, the signers and the coordinator, each in a folder of its own."""

    network: ClassVar[str]
    wallets: ClassVar[Mapping[str, Cast]]
    assets: ClassVar[tuple[Asset, ...]] = ()
    begins: ClassVar[str]
    """How the step is told in which the world starts."""
    orders: ClassVar[str]
    """How the step is told in which the orders are drafted and approved."""
    turn_seconds: ClassVar[float]
    """How long a block of the world takes."""

    def __init__(self, folder: Path, diary: Diary) -> None:
        self.folder, self.diary, self._begun = folder, diary, len(diary.steps)
        self._crossing, self._people = folder / "crossing", folder / "people"
        self._boxes = {cast.box: SignerProcess(folder / cast.box) for cast in self.wallets.values()}
        self._stack = ExitStack()
        self.lines: dict[str, str] = {}

    # --- what a ledger's own journey says -------------------------------------------------------

    @abstractmethod
    def serving(self) -> Iterable[AbstractContextManager[Any]]:
        """Give what serves the world; it is entered at once."""

    @abstractmethod
    def closing(self) -> AbstractContextManager[Any]:
        """Give what makes the world go on by time."""

    @abstractmethod
    def settings(self) -> tuple[str, str]:
        """Give the node's url and further lines of the settings."""

    @abstractmethod
    def fund(self) -> None:
        """Give the wallets their first money, and tell it."""

    @abstractmethod
    def policy(self) -> str:
        """Give the text of the signer's policy."""

    @abstractmethod
    def drafts(self) -> Mapping[str, Callable[[Asking], Order]]:
        """Give the orders by the name of what they are for, each drafted when it is called."""

    def meanwhile(self) -> tuple[str, ...]:
        """Let something happen between signing and submitting, and give what is told of it."""
        return ()

    def ends(self) -> Mapping[str, State]:
        """Say how each order has to end; `final` where nothing is said."""
        return {}

    @abstractmethod
    def settled(self, done: Mapping[str, Job]) -> None:
        """Tell what the world holds now, and refuse if it is not what was ordered."""

    # --- the story ------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        for folder in (self.folder, self._crossing, self._people, self.folder / "audit"):
            folder.mkdir(exist_ok=True)
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
        return self._report(begun, done, shown, answer, checkpoints)

    def _report(
        self, begun: float, done: Mapping[str, Job], shown: Carried, answer: dict[str, int],
        checkpoints: dict[str, str],
    ) -> dict[str, Any]:  # fmt: skip
        return {
            "name": self.network.partition(":")[0],
            "network": self.network,
            "seconds": round(time.monotonic() - begun, 2),
            "steps": self.diary.steps[self._begun :],
            "tx_ids": {name: job.tx_id for name, job in done.items()},
            "frames": {"request": {"needed": shown.needed, "shown": shown.shown}, "answer": answer},
            "checkpoints": checkpoints,
            "signer_without_network": bool(solitude()),
            "places": self._places(),
        }

    def addresses(self, wallet: str) -> list[str]:
        """Give the addresses of a wallet."""
        return [key.address for key in keys(self.store, wallet)]

    # --- the first set-up -----------------------------------------------------------------------

    def _set_up(self) -> None:
        with self.diary.step(self.begins):
            for server in self.serving():
                self._stack.enter_context(server)
        with self.diary.step("administrators dora and emil, and the approver carol, get their keys at the signer"):
            for name in ("dora", "emil", "carol"):
                self._new_key(name)
        with self.diary.step("the signer's vault is made; it asks its 24 words back"):
            for name, box in self._boxes.items():
                self.lines[name] = box.make([self.lines["dora"], self.lines["emil"]], 2, PASSPHRASE)
            alone = "without any network" if solitude() else "though with a network: it can not be removed here"
            self.diary.tell(f"a signer runs as a process of its own, {alone}")
        with self.diary.step("the coordinator is set up; alice drafts here, bob approves; the signer is paired"):
            self._meet()
        with self.diary.step("the signer's cards bring the wallets; they get their first money; the books open"):
            for account, name in enumerate(self.wallets):
                self._card(name, account)
            self.fund()
            for name in self.wallets:
                books.open_wallet(self.store, name, self.gateways[self.network], now())
        with self.diary.step("a policy is sealed by both administrators and installed on the signer"):
            self._install_policy()
        self._stack.enter_context(self.closing())

    def _new_key(self, name: str) -> None:
        options = ("--out", self._people / f"{name}.key", "--network-class", "test", "--kdf", "light")
        said = self._box.run("person", "new", name, *options, lines=(PASSPHRASE, PASSPHRASE))
        self.lines[name] = said.strip()

    def _meet(self) -> None:
        self.lines["station"] = people.new_station(self._config, PASSPHRASE, "light").line
        for key in (self._alice, self._bob):
            add_person(self.store, key.name, key.public_key, now())
        for name in self._boxes:
            pair_signer(self.store, parse_person(self.lines[name]).key, name, now())
        for asset in self.assets:
            add_asset(self.store, self.network, asset.code, asset.decimals, now())

    def _card(self, name: str, account: int) -> None:
        file, cast = self._crossing / f"{name}.card", self.wallets[name]
        options = ("--network", self.network, "--tier", cast.tier, "--account", str(account), "--out", file)
        self._boxes[cast.box].run("card", name, *options, "--count", str(cast.keys), lines=(PASSPHRASE,))
        import_card(self.store, read_file(file), now(), addresses=cast.keys)

    def _install_policy(self) -> None:
        text, sealed = self._crossing / "policy.toml", self._crossing / "policy.sealed"
        write_file(text, self.policy().encode())
        dora, emil = self._people / "dora.key", self._people / "emil.key"
        self._box.run("policy", "draft", text, "--as", dora, "--out", sealed, lines=(PASSPHRASE,))
        self._box.run("policy", "sign", sealed, "--as", emil, lines=(PASSPHRASE,))
        self._box.run("policy", "install", sealed, lines=(PASSPHRASE,))

    # --- the crossing ---------------------------------------------------------------------------

    def _order(self) -> dict[str, Order]:
        with self.diary.step(self.orders):
            drafted = {
                name: draft(Asking(name, self._alice.person, self._alice.sign, now()))
                for name, draft in self.drafts().items()
            }
            for order in drafted.values():
                approve(self.store, order.id, person=self._bob.person, sign=self._bob.sign, now=now())
            return drafted

    def _export(self) -> tuple[Exported, Carried]:
        with self.diary.step("the coordinator builds what was ordered and exports one request: file, GIF, pictures"):
            build_approved(self.store, self.gateways, now())
            exported = export_request(self.store, self._paired, now())
            ways = Ways(self._crossing / "request.bin", self._crossing / "request.gif", self._crossing / "request-qr")
            shown = carry_out(exported.blob, ways)
            lines = review_of(self.store, exported.digest).lines
            for line in lines[:_SHOWN]:
                self.diary.tell(line)
            if len(lines) > _SHOWN:
                self.diary.tell(f"and {len(lines) - _SHOWN} more lines")
            return exported, shown

    def _sign(self, request: Exported) -> dict[str, int]:
        with self.diary.step("the signer reads the GIF and shows the same review with the same fingerprint"):
            seen = self._box.ask("inspect", self._crossing / "request.gif")
            mine = review_of(self.store, request.digest)
            if (seen["review"], seen["fingerprint"]) != (list(mine.lines), mine.fingerprint):
                raise DemoFailed("the two machines do not show the same")
        with self.diary.step("carol approves once; the signer judges by its policy, writes its journal, and signs"):
            pictures = self._crossing / "answer-qr"
            ways = ("--png", pictures, "--gif", self._crossing / "answer.gif", "--out", self._crossing / "answer.bin")
            who = ("--as", self._people / "carol.key", "--yes")
            self._box.run("sign", self._crossing / "request.gif", *who, *ways, lines=(PASSPHRASE, PASSPHRASE))
        with self.diary.step("the coordinator reads the answer's pictures and verifies every signature"):
            received = carry_in(str(pictures), lambda _scan: None)
            import_answer(self.store, received.sealed, now())
            assert received.scan is not None
            return {"needed": received.scan.progress.count, "shown": len(list(pictures.iterdir()))}

    # --- the ledger and the books ---------------------------------------------------------------

    def _settle(self, orders: Mapping[str, Order]) -> dict[str, Job]:
        with self.diary.step("the coordinator submits, and watches until the ledger has decided"):
            for line in self.meanwhile():
                self.diary.tell(line)
            self._wait()
            done = {name: jobs(self.store, order=order.id)[0] for name, order in orders.items()}
            for name, job in done.items():
                if job.state is not self.ends().get(name, State.FINAL):
                    raise DemoFailed(f"the {name} ended {job.state}: {job.result}")
                self.diary.tell(f"{name} is {job.state}: {job.result}, transaction {job.tx_id}")
            self.settled(done)
            return done

    def _wait(self) -> None:
        """Submit and watch until every job has ended, or patience has."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while any(job.state not in ENDS for job in jobs(self.store)) and time.monotonic() < end:
            tick(self.store, self.gateways, now())
            time.sleep(self.turn_seconds / 3)

    def _another_crossing(self, name: str) -> None:
        """Let the next request and answer have a folder of their own."""
        self._crossing = self.folder / name
        self._crossing.mkdir()

    def _prove(self) -> dict[str, str]:
        with self.diary.step("the books add up, and the ledger holds what they say"):
            problems = [*books.prove_balances(self.store)]
            found = books.check(self.store, self.gateways)
            problems += [f"{one.wallet} differs in {one.asset.code}" for one in found if one.difference]
            if problems:
                raise DemoFailed("; ".join(problems))
            for one in books.balance_sheet(self.store):
                sign = "-" if one.posted < 0 else ""
                self.diary.tell(f"{one.account}: {sign}{Amount(one.asset, abs(one.posted))}")
        with self.diary.step("both journals verify, and signer, store and ledger tell the same"):
            exported = self.folder / "audit" / "signer.journal"
            proven = self._box.ask("journal", "verify")
            self._box.run("journal", "export", exported)
            write_file(self.folder / "audit" / "coordinator.journal", audit.audit_lines(self.store))
            own = audit.verify(self.store)
            compared = audit.compare(self.store, self._paired, read_file(exported), self.gateways)
            if not (proven["ok"] and own.ok and compared.ok):
                raise DemoFailed("; ".join(own.problems) or "the three do not tell the same")
            self.diary.tell(f"the signer's journal has {proven['entries']} entries, the coordinator's {own.entries}")
        return {"signer": signer(self.store, self._name).checkpoint, "coordinator": own.checkpoint}

    # --- what it works on -----------------------------------------------------------------------

    @property
    def _name(self) -> str:
        """Give the signer that signs: the first wallet's."""
        return next(iter(self._boxes))

    @property
    def _box(self) -> SignerProcess:
        return self._boxes[self._name]

    @property
    def _paired(self) -> bytes:
        return signer(self.store, self._name).public_key

    @cached_property
    def _config(self) -> config.Config:
        url, more = self.settings()
        home = self.folder / "coordinator"
        config.create(home, "coordinator", self.network, url)
        file = home / "config.toml"
        write_file(file, read_file(file) + more.encode(), overwrite=True)
        return config.load(home)

    @cached_property
    def store(self) -> Store:
        """The coordinator's store."""
        store = open_store(self._config.store_url, people.open_station(self._config, PASSPHRASE))
        self._stack.callback(store.close)
        return store

    @cached_property
    def gateways(self) -> dict[str, Gateway]:
        """The gateways by network."""
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
        return {name: str(self.folder / place) for name, place in places.items()}


def texts(addresses: Iterable[str]) -> str:
    """Write addresses as a list of a policy's text."""
    return "[" + ", ".join(f'"{address}"' for address in addresses) + "]"


def now() -> int:
    """Give Unix seconds."""
    return int(time.time())
