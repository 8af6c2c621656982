"""What a wallet rests on: the card that a signer of ours sealed, or a device's descriptor that our station sealed.

Both give the same: a wallet's public half, and where its keys stand below the device's or signer's master.
"""

from __future__ import annotations

from dataclasses import dataclass

from online.store.signers import device_key
from shared.chains import chain, interchange
from shared.chains.api import KeyPath
from shared.encoding import Fields, Value, decode, encode
from shared.envelope import WalletCard, open_card
from shared.errors import WrongDocument
from shared.hdkeys import HARDENED
from shared.people import check_name
from shared.sealed import Sign, open_sealed, seal

WATCH = "watch/1"
_MOST_TEXT = 1_000


@dataclass(frozen=True, slots=True)
class Card:
    """A wallet's public half and who sealed it (32 bytes).

    For a device of another maker also the fingerprint of its master (4 bytes) and the path of the account.
    """

    public: WalletCard
    sealer: bytes
    fingerprint: bytes = b""
    account: KeyPath = ()

    def path(self, index: int) -> KeyPath:
        """Give the path of a key by its number."""
        one = self.public
        if self.account:
            return (*self.account, 0, index)
        return chain(one.network).key_path(one.network, one.curve, one.account, index, one.form)


def open_any_card(blob: bytes) -> Card:
    """Read a signer's card, or what `seal_watch` wrote, and verify its one signature.

    Raises:
        Refusal: for anything else; as `open_card`, and ForeignDescriptor.
    """
    try:
        opened = open_sealed(blob, WATCH)
    except WrongDocument:
        public, _ = open_card(blob)
        return Card(public, public.signer)
    fields = Fields(decode(opened.body), "watched wallet")
    network = fields.text("network", most=40)
    chain(network).network(network)
    name, tier = check_name(fields.text("wallet", most=32)), fields.choice("tier", ("hot", "warm", "cold"))
    found = interchange(network).watchable(fields.text("descriptor", most=_MOST_TEXT), network)
    fields.close()
    xpub = found.account.public_key + found.account.chain_code
    number = found.path[-1] - HARDENED
    public = WalletCard(
        device_key(found.fingerprint), name, network, tier, "secp256k1", number, xpub, (), found.form
    )
    return Card(public, opened.signers[0], found.fingerprint, found.path)


def seal_watch(wallet: str, network: str, tier: str, descriptor: str, station: bytes, sign: Sign) -> bytes:
    """Write down a device's wallet, by its descriptor, with the station's signature in the place of the device's."""
    body: Value = {"wallet": wallet, "network": network, "tier": tier, "descriptor": descriptor.strip()}
    return seal(WATCH, encode(body), [(station, sign)])
