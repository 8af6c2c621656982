"""What is done once or seldom: making the vault, issuing wallet cards, installing policies, taking over a journal."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from offline_signer import issued, journal_file, vault
from offline_signer.box import Box, Clock, opened
from offline_signer.history import Wallet, fold
from offline_signer.vault import Header, marked
from shared import chains
from shared.chains.api import Curve, Descriptor, KeyPath, NetworkClass
from shared.checkpoint import open_checkpoint, require_extends
from shared.envelope import MOST_CARD_KEYS, WalletCard, seal_card
from shared.errors import BadField, BadSetup, BadWords, OldPolicy, WrongNetwork
from shared.hdkeys import HARDENED
from shared.journal import read_journal
from shared.lockbox import KdfCost
from shared.people import check_name, person_line
from shared.policy import Person, Policy
from shared.policy_document import open_policy
from shared.words import entropy_from_words, mix_entropy, words_from_entropy


def new_words(dice: str) -> str:
    """Draw 24 words from the system's randomness, mixed with dice rolls where somebody threw them.

    Raises:
        BadDice: for rolls other than the digits 1 to 6.
    """
    system = os.urandom(32)
    return words_from_entropy(mix_entropy(system, dice) if dice else system)


def make(
    folder: Path, words: str, passphrase: str, *, network_class: NetworkClass, administrators: Sequence[Person],
    quorum: int, kdf: KdfCost, clock: Clock,
) -> bytes:
    """Make a new signer from 24 words that were drawn and asked back; give its station key.

    Raises:
        BadSetup: if the folder holds a vault already or the quorum cannot be met.
    """
    if (folder / journal_file.NAME).exists():
        raise BadSetup(f"there is a journal in {folder} already", hint="It is of another vault; use another folder.")
    header = Header(network_class, tuple(administrators), quorum, epoch=0, floor=0, generation=0, state="ready")
    made = vault.create(folder, _entropy(words), passphrase, header, kdf)
    with opened(folder, passphrase, clock) as box:
        people = [person_line(person) for person in administrators]
        box.write("init", {"administrators": people, "quorum": quorum, "network_class": network_class})
    return made.station


def restore(
    folder: Path, words: str, passphrase: str, *, network_class: NetworkClass, administrators: Sequence[Person],
    quorum: int, kdf: KdfCost, lost: int = 0,
) -> bytes:
    """Make the vault again from its words. The box then signs nothing until it has its journal (law 10).

    `lost` is how many journals of these words were given up before: each ended a station key.

    Raises:
        BadWords, BadSetup: for words that do not hold together, or a folder that is in use.
    """
    header = Header(network_class, tuple(administrators), quorum, epoch=0, floor=0, generation=lost, state="restored")
    return vault.create(folder, _entropy(words), passphrase, header, kdf).station


def take_over(folder: Path, passphrase: str, lines: bytes, checkpoint: str, clock: Clock) -> int:
    """Give a restored box the newest journal, proven by a checkpoint that somebody else kept; give its size.

    Raises:
        BadSetup: if this box does not wait for a journal.
        JournalDamaged, JournalForked, BadCheckpoint: if it is not this station's whole journal, or older than the
            checkpoint.
    """
    with opened(folder, passphrase, clock, restored=True) as box:
        if box.vault.header.state != "restored":
            raise BadSetup("this box has its journal", hint="Only a box made with `init --restore` takes one over.")
        station = box.vault.station
        journal = require_extends(read_journal(lines, station), open_checkpoint(checkpoint, box.origin, station))
        journal_file.adopt(folder, lines, station)
        history = fold(journal.entries)
        epoch = max(history.floor, history.policy.epoch if history.policy else 0)
        box.vault.change(marked(box.vault.header, state="ready", epoch=epoch, floor=history.floor))
    with opened(folder, passphrase, clock) as box:
        # At the journal's own last time: taking over must not move the clock that grants allowances.
        box.write("takeover", {"size": journal.tip.size}, time=box.history.last_time)
        return journal.tip.size


def issue_card(
    box: Box, name: str, *, network: str, tier: str, curve: Curve | None = None, account: int, count: int,
    form: str = "",
) -> bytes:  # fmt: skip
    """Write down a wallet's public keys and give the sealed card. A later card of the same wallet only has more keys.

    Keys are on the network's usual curve unless another is named.

    Raises:
        BadField: for a name, tier or number that is none, or a wallet that differs from what its name stood for before.
        WrongNetwork: for a network of the other class than the vault's.
    """
    chain = chains.chain(network)
    curve = curve or chain.network(network).curve
    if chain.network(network).network_class != box.vault.header.network_class:
        raise WrongNetwork(f"{network} is not a {box.vault.header.network_class} network, for which this vault is")
    if tier not in ("hot", "warm", "cold") or not 1 <= count <= MOST_CARD_KEYS:
        raise BadField(f"a wallet is hot, warm or cold, and has 1 to {MOST_CARD_KEYS} keys")
    paths = [chain.key_path(network, curve, account, index, form) for index in range(count)]
    blank = WalletCard(box.vault.station, check_name(name), network, tier, curve, account, b"", (), form)
    card = _with_keys(box, blank, paths)
    _check_same_wallet(box, card, count)
    sealed = seal_card(card, box.vault.sign)
    box.write("wallet", {"card": sealed, "count": count})
    return sealed


def describe(box: Box, name: str) -> Descriptor:
    """Describe a wallet to another maker's, which then watches it and writes what `ceremony` reads.

    Raises:
        BadField: for a name without a card.
        ForeignUnwanted: on a ledger where nothing is exchanged with other makers' wallets.
    """
    card = _issued(box, name).card
    path = chains.chain(card.network).key_path(card.network, card.curve, card.account, 0, card.form)[:-2]
    interchange = chains.interchange(card.network)
    master, account = box.vault.node(card.curve, ()), box.vault.node(card.curve, path)
    return interchange.descriptor(card.network, card.form, master.fingerprint, path, account.public())


def change_addresses(box: Box, name: str, count: int) -> tuple[str, ...]:
    """Give the first addresses of a wallet's branch of change, to which other makers' wallets take what comes back.

    Raises:
        BadField: for a name without a card, and for more than were issued.
    """
    wallet = _issued(box, name)
    if count > wallet.count:
        raise BadField(f"{wallet.count} keys of {name} are issued", hint="Issue more with `lockgate-signer card`.")
    return issued.change_addresses(wallet)[:count]


def _issued(box: Box, name: str) -> Wallet:
    wallet = box.history.wallets.get(name)
    if wallet is None:
        raise BadField(f"no card of a wallet called {name[:40]!r} was issued", hint="Write one with `card` first.")
    return wallet


def install_policy(box: Box, sealed: bytes) -> Policy:
    """Put a policy in force that a quorum of the present administrators signed.

    Raises:
        OldPolicy: if its epoch is not newer than every one seen.
        WrongNetwork: if it is for the other class of networks.
        QuorumMissing, StrangeSigner, BadPolicy: as `open_policy` says.
    """
    people, quorum = box.administrators()
    policy = open_policy(sealed, [person.key for person in people], quorum)
    if policy.epoch <= box.vault.header.epoch:
        raise OldPolicy(f"epoch {policy.epoch} is not newer than epoch {box.vault.header.epoch}")
    if policy.network_class != box.vault.header.network_class:
        raise WrongNetwork(f"the policy is for {policy.network_class} networks, this vault is not")
    box.write("policy", {"sealed": sealed, "epoch": policy.epoch})
    box.vault.change(marked(box.vault.header, epoch=policy.epoch))
    return policy


def _entropy(words: str) -> bytes:
    entropy = entropy_from_words(words)
    if len(entropy) != 32:
        raise BadWords("a vault has 24 words")
    return entropy


def _with_keys(box: Box, card: WalletCard, paths: Sequence[KeyPath]) -> WalletCard:
    if paths[0][-1] < HARDENED:  # the two last steps derive publicly: the card holds the key above them
        above = box.vault.node(card.curve, paths[0][:-2])
        return replace(card, xpub=above.public_key + above.chain_code)
    return replace(card, keys=tuple(box.vault.node(card.curve, path).public_key for path in paths))


def _check_same_wallet(box: Box, card: WalletCard, count: int) -> None:
    for known in box.history.wallets.values():
        place = (known.card.network, known.card.curve, known.card.account, known.card.form)
        same_place = place == (card.network, card.curve, card.account, card.form)
        if (known.card.wallet == card.wallet) != same_place:
            raise BadField(f"the wallet {known.card.wallet} stands for {' '.join(map(str, place)).strip()}")
        if same_place and (known.card.tier != card.tier or count < known.count):
            raise BadField(f"the wallet {known.card.wallet} is {known.card.tier} and has {known.count} keys already")
