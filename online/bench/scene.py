"""A signer for measurements: one box made by its commands, with one wallet, one approver and a policy.

Each round signs with a fresh copy of the box, so that nothing counts as signed before.
"""

from __future__ import annotations

import json
import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from nacl.signing import SigningKey

from online.demo.signer_process import SignerProcess
from shared.chains.api import Context
from shared.envelope import NOTHING_SEEN, Item, Lot, SigningRequest, WalletCard, open_card, seal_request
from shared.people import parse_person, person_line
from shared.policy import Person
from shared.transport.media import read_file, write_file

ROUNDS: Final = 5
PASSPHRASE: Final = "the bench guards nothing"  # noqa: S105 - its keys are worth nothing


class Scene:
    """A signer of one wallet whose card issues `count` keys; `policy` writes its text from what the scene knows.

    The wallet is called by its tier.
    """

    def __init__(
        self, folder: Path, network: str, count: int, policy: Callable[[Scene], str], *, form: str = "",
        tier: str = "cold",
    ) -> None:  # fmt: skip
        self.folder, self.network = folder, network
        self.box = SignerProcess(folder / "box")
        self.pen = SigningKey.generate()
        self._approver = folder / "carol.key"
        carol = ("person", "new", "carol", "--out", self._approver, "--network-class", "test", "--kdf", "light")
        self.carol = self.box.run(*carol, lines=(PASSPHRASE, PASSPHRASE)).strip()
        self._signer = parse_person(self.box.make([self.carol], 1, PASSPHRASE)).key
        self.card = self._card(count, form, tier)
        self._install(policy(self))

    @property
    def station(self) -> str:
        """Give the coordinator's public line."""
        return person_line(Person("bench", self.pen.verify_key.encode()))

    def request(self, context: Context, items: Sequence[Item]) -> bytes:
        """Seal a request for this signer, and keep it in the folder for `sign`."""
        public = self.pen.verify_key.encode()
        lot = Lot(self.network, context, tuple(items))
        request = SigningRequest(public, self._signer, int(time.time()), NOTHING_SEEN, (lot,))
        sealed = seal_request(request, lambda message: self.pen.sign(message).signature)
        write_file(self.folder / "request", sealed, overwrite=True)
        return sealed

    def sign(self, number: int) -> tuple[float, bytes]:
        """Sign the request with a fresh copy of the box; give the seconds of its whole path, and the answer."""
        copy = SignerProcess(self.folder / f"box-{number}")
        shutil.copytree(self.box.folder, copy.folder)
        out = self.folder / f"answer-{number}"
        options = ("--as", self._approver, "--yes", "--json", "--out", out)
        printed = copy.run("sign", self.folder / "request", *options, lines=(PASSPHRASE, PASSPHRASE))
        return json.loads(printed)["microseconds"] / 1_000_000, read_file(out)

    @property
    def sealed_card(self) -> bytes:
        """Give the card as the signer sealed it."""
        return read_file(self.folder / "card")

    def _card(self, count: int, form: str, tier: str) -> WalletCard:
        options = ("--network", self.network, "--tier", tier, "--count", str(count), "--form", form)
        self.box.run("card", tier, *options, "--out", self.folder / "card", lines=(PASSPHRASE,))
        return open_card(self.sealed_card)[0]

    def _install(self, source: str) -> None:
        text, sealed = self.folder / "policy.toml", self.folder / "policy.sealed"
        write_file(text, source.encode())
        self.box.run("policy", "draft", text, "--as", self._approver, "--out", sealed, lines=(PASSPHRASE,))
        self.box.run("policy", "install", sealed, lines=(PASSPHRASE,))


def rates(
    scene: Scene, count: int, peer: Callable[[], float], say: Callable[[str], None]
) -> tuple[float, float, float]:
    """Sign in rounds, the peer beside each; give the medians of our rate, the peer's, and the ratio of each round."""
    ours, theirs = [], []
    for number in range(1, ROUNDS + 1):
        say(f"{scene.network}: round {number} of {ROUNDS}")
        ours.append(count / scene.sign(number)[0])
        theirs.append(peer())
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return statistics.median(ours), statistics.median(theirs), statistics.median(ratios)
