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
from types import MappingProxyType, TracebackType
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
NO_ENDS: Final[Mapping[str, State]] = MappingProxyType({})


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
    turn_seconds: ClassVar[float]
    """How long a block of the world takes."""

    def __init__(self, folder: Path, diary: Diary) -> None:
        self.folder, self.diary, self._begun = folder, diary, len(diary.steps)
        self._crossing, self._people = folder / "crossing", folder / "people"
        self._frames: list[dict[str, dict[str, int]]] = []
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
    def tell(self) -> dict[str, Job]:
        """Tell what happens between the set-up and the proofs, and give the jobs by what they are for."""

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
        done = self.tell()
        checkpoints = self._prove()
        return {
            "name": self.network.partition(":")[0],
            "network": self.network,
            "seconds": round(time.monotonic() - begun, 2),
            "steps": self.diary.steps[self._begun :],
            "tx_ids": {name: job.tx_id for name, job in done.items()},
            "frames": self._frames[0],
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
        with self.diary.step("dora, emil and carol get their keys at the signer"):
            self.diary.tell("dora and emil are its administrators; carol approves what is signed")
            for name in ("dora", "emil", "carol"):
                self._new_key(name)
        with self.diary.step("the signer's vault is made; it asks its 24 words back"):
            for name, box in self._boxes.items():
                self.lines[name] = box.make([self.lines["dora"], self.lines["emil"]], 2, PASSPHRASE)
            alone = "without any network" if solitude() else "though with a network: it can not be removed here"
            self.diary.tell(f"a signer runs as a process of its own, {alone}")
        with self.diary.step("the coordinator is set up for alice and bob; the signer is paired"):
            self.diary.tell("alice drafts orders here, and bob approves them")
            self._meet()
        with self.diary.step("the signer's cards bring wallets; they get money; the books open"):
            for account, name in enumerate(self.wallets):
                self._card(name, account)
            self.fund()
            for name in self.wallets:
                books.open_wallet(self.store, name, self.gateways[self.network], now())
        with self.diary.step("both administrators seal a policy; it is installed on the signer"):
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

    def order(self, told: str, drafts: Mapping[str, Callable[[Asking], Order]]) -> dict[str, Order]:
        """Let alice draft and bob approve, and give the orders by the name of what they are for."""
        with self.diary.step(told):
            drafted = {
                name: draft(Asking(name, self._alice.person, self._alice.sign, now()))
                for name, draft in drafts.items()
            }
            for order in drafted.values():
                approve(self.store, order.id, person=self._bob.person, sign=self._bob.sign, now=now())
            return drafted

    def cross(self) -> None:
        """Take what is approved over the gap and back, once in many steps and from then on in one."""
        if not self._frames:
            with self.diary.step("the coordinator builds it and exports one request in QR frames"):
                request, shown = self._export()
            with self.diary.step("the signer reads the film: the same review, the same fingerprint"):
                self._compare(request)
            with self.diary.step("carol approves; the signer judges, writes its journal, and signs"):
                self._sign()
            with self.diary.step("the coordinator reads the answer and verifies every signature"):
                self._take_answer(shown)
            return
        self._crossing = self.folder / f"crossing-{len(self._frames) + 1}"
        self._crossing.mkdir()
        with self.diary.step("one more request crosses: both show the same, carol approves"):
            request, shown = self._export()
            self._compare(request)
            self._sign()
            self._take_answer(shown)

    def _export(self) -> tuple[Exported, Carried]:
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

    def _compare(self, request: Exported) -> None:
        seen = self._box.ask("inspect", self._crossing / "request.gif")
        mine = review_of(self.store, request.digest)
        if (seen["review"], seen["fingerprint"]) != (list(mine.lines), mine.fingerprint):
            raise DemoFailed("the two machines do not show the same")

    def _sign(self) -> None:
        ways = ("--png", self._answer, "--gif", self._crossing / "answer.gif", "--out", self._crossing / "answer.bin")
        who = ("--as", self._people / "carol.key", "--yes")
        self._box.run("sign", self._crossing / "request.gif", *who, *ways, lines=(PASSPHRASE, PASSPHRASE))

    def _take_answer(self, shown: Carried) -> None:
        received = carry_in(str(self._answer), lambda _scan: None)
        import_answer(self.store, received.sealed, now())
        assert received.scan is not None
        answer = {"needed": received.scan.progress.count, "shown": len(list(self._answer.iterdir()))}
        self._frames.append({"request": {"needed": shown.needed, "shown": shown.shown}, "answer": answer})

    @property
    def _answer(self) -> Path:
        return self._crossing / "answer-qr"

    # --- the ledger and the books ---------------------------------------------------------------

    def settle(self, orders: Mapping[str, Order], ends: Mapping[str, State] = NO_ENDS) -> dict[str, Job]:
        """Submit and watch until the ledger has decided, tell it, and refuse what ended otherwise than it should."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while any(job.state not in ENDS for job in jobs(self.store)) and time.monotonic() < end:
            tick(self.store, self.gateways, now())
            time.sleep(self.turn_seconds / 3)
        done: dict[str, Job] = {}
        for name, order in orders.items():
            made = jobs(self.store, order=order.id)
            for number, job in enumerate(made, 1):
                if job.state is not ends.get(name, State.FINAL):
                    raise DemoFailed(f"the {name} ended {job.state}: {job.result}")
                title = name if len(made) == 1 else f"{name} {number}"
                self.diary.tell(f"{title} is {job.state}: {job.result}, transaction {job.tx_id}")
                done[title] = job
        return done

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


class OneCrossing(Journey):
    """A journey whose orders are all known from the start, and cross the gap together."""

    orders: ClassVar[str]
    """How the step is told in which the orders are drafted and approved."""

    @abstractmethod
    def drafts(self) -> Mapping[str, Callable[[Asking], Order]]:
        """Give the orders by the name of what they are for, each drafted when it is called."""

    def meanwhile(self) -> tuple[str, ...]:
        """Let something happen between signing and submitting, and give what is told of it."""
        return ()

    def ends(self) -> Mapping[str, State]:
        """Say how each order has to end; `final` where nothing is said."""
        return NO_ENDS

    @abstractmethod
    def settled(self, done: Mapping[str, Job]) -> None:
        """Tell what the world holds now, and refuse if it is not what was ordered."""

    def tell(self) -> dict[str, Job]:
        """Order, cross and settle."""
        orders = self.order(self.orders, self.drafts())
        self.cross()
        with self.diary.step("the coordinator submits, and watches until the ledger has decided"):
            for line in self.meanwhile():
                self.diary.tell(line)
            done = self.settle(orders, self.ends())
            self.settled(done)
            return done


def texts(words: Iterable[str]) -> str:
    """Write addresses or names as a list of a policy's text."""
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


def now() -> int:
    """Give Unix seconds."""
    return int(time.time())
