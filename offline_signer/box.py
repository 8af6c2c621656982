"""The signer at work: an unlocked vault and its journal, under the one lock.

Every entry is written through here, so that time never runs back past the journal, a clock that jumped grants nothing,
and a restored box does nothing but take over its journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from offline_signer import journal_file
from offline_signer.history import History, fold
from offline_signer.journal_file import JournalFile
from offline_signer.pen import Pens
from offline_signer.vault import Vault, marked, open_vault, require_vault
from shared.checkpoint import sign_checkpoint
from shared.encoding import Value
from shared.envelope import NOTHING_SEEN, SeenLog
from shared.errors import ClockJumped, JournalBehind, JournalMissing, NoPolicy
from shared.policy import Person, Policy

Clock = Callable[[], int]
"""Gives Unix seconds; nobody trusts it."""


@dataclass(slots=True)
class Box:
    """A signer whose vault is open and whose journal is held."""

    folder: Path
    vault: Vault
    journal: JournalFile
    history: History
    clock: Clock
    pens: Pens

    @property
    def origin(self) -> str:
        """Give the name of this journal in its checkpoints."""
        return origin_of(self.vault.station)

    def now(self) -> int:
        """Give the time of the next entry (Unix seconds), never before the last one's.

        Raises:
            ClockJumped: if the clock moved on farther than the policy allows without the administrators' word.
        """
        policy, last = self.history.policy, self.history.last_time
        now = max(self.clock(), last)
        if policy is not None and now > last + policy.clock_jump_most:
            days = (now - last) // 86_400
            raise ClockJumped(f"the clock is {days} days after the journal's last entry")
        return now

    def write(self, kind: str, body: Mapping[str, Value], *, time: int | None = None) -> None:
        """Write an entry to the disk and remember it.

        Raises:
            ClockJumped, DiskFull: and then nothing was written.
        """
        when = self.now() if time is None else time
        self.history.read(self.journal.append(when, kind, body, self.vault.sign, self.vault.station))

    def policy(self) -> Policy:
        """Give the policy in force. Raises NoPolicy."""
        if self.history.policy is None:
            raise NoPolicy("no policy has been installed on this signer")
        return self.history.policy

    def administrators(self) -> tuple[tuple[Person, ...], int]:
        """Give the administrators and their quorum: the policy's, or before the first one those of the set-up."""
        policy, header = self.history.policy, self.vault.header
        if policy is None:
            return header.administrators, header.quorum
        return policy.administrators, policy.administrators_quorum

    def seen(self) -> SeenLog:
        """Give the journal's present state."""
        tip = self.journal.tip
        return SeenLog(tip.size, tip.root()) if tip.size else NOTHING_SEEN

    def checkpoint(self) -> str:
        """Sign the journal's present state."""
        return sign_checkpoint(self.journal.tip, self.origin, self.vault.sign, self.vault.station)


def origin_of(station: bytes) -> str:
    """Give the name in checkpoints of the journal that a station key writes."""
    return f"lockgate-signer/{station.hex()[:16]}"


@contextmanager
def opened(folder: Path, passphrase: str, clock: Clock, *, restored: bool = False) -> Iterator[Box]:
    """Unlock the vault and hold the journal while the block runs.

    A box that waits for its journal opens only with `restored`.

    Raises:
        SignerBusy, BadSetup, WrongPassphrase, VaultDamaged, JournalDamaged: as their modules say.
        JournalMissing: if the box was restored and has not taken over its journal.
        JournalBehind: if the vault has seen a newer policy than the journal.
    """
    require_vault(folder)  # told before anything is made in a folder that is none of ours
    with journal_file.locked(folder):
        vault = open_vault(folder, passphrase)  # under the lock, so that nobody changes its header meanwhile
        if vault.header.state == "restored" and not restored:
            raise JournalMissing("this box was restored and has not taken over its journal")
        journal = journal_file.open_for_appending(folder, vault.station)
        history = fold(journal.entries)
        epoch = history.policy.epoch if history.policy else 0
        header = vault.header
        if header.state == "ready" and max(epoch, header.floor) < header.epoch:
            raise JournalBehind(f"the vault has seen the policy of epoch {header.epoch}, the journal only {epoch}")
        if epoch > header.epoch:  # a crash came between the journal's entry and the vault's header
            vault.change(marked(header, epoch=epoch))
        yield Box(folder, vault, journal, history, clock, Pens(vault))
