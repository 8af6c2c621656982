"""People with accounts of their own on a devnet, who pay an exchange. Their own fees are no part of a story."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol

from online.chains.api import Plan
from online.devnet.xrpl.hashes import account_key
from shared.effects import Payment

if TYPE_CHECKING:
    from pyonear.transaction import Transaction

    from online.chains.api import Gateway
    from online.devnet.bitcoin import BitcoinWorld
    from online.devnet.counterparty import CounterpartyWorld
    from online.devnet.near import NearWorld
    from online.devnet.xrpl import XrplWorld
    from shared.effects import Destination
    from shared.money import Amount, Asset

_DROPS = 10**6
_YOCTO = 10**24
_SATS = 10**8
_BITCOIN = "bitcoin:regtest"
_CALL_GAS = 30 * 10**12


class Outsider(Protocol):
    """Somebody with an account of the ledger, and what is on it in whole coins."""

    address: str

    @property
    def coins(self) -> int:
        """Give whole coins."""


class Stranger:
    """An account with so many whole XRP, and the key to it."""

    def __init__(self, world: XrplWorld, coins: int) -> None:
        from xrpl.core.keypairs import derive_classic_address, derive_keypair, generate_seed

        self._world = world
        self._public, self._private = derive_keypair(generate_seed())
        self.address = derive_classic_address(self._public)
        world.fund_all({self.address: coins * _DROPS})

    def pay(self, to: str, drops: int, tag: int | None = None, source_tag: int | None = None) -> None:
        """Pay somebody, and close the ledger in which that happens."""
        from xrpl.core.binarycodec import encode, encode_for_signing
        from xrpl.core.keypairs import sign

        given = {"DestinationTag": tag, "SourceTag": source_tag}
        tags = {name: each for name, each in given.items() if each is not None}
        whole: dict[str, Any] = {
            "TransactionType": "Payment", "Account": self.address, "Destination": to, "Amount": str(drops), "Fee": "10",
            "Sequence": self._entry["Sequence"], "SigningPubKey": self._public,
            "NetworkID": self._world.rules.network_id, **tags,
        }  # fmt: skip
        whole["TxnSignature"] = sign(bytes.fromhex(encode_for_signing(whole)), self._private)
        self._world.submit(bytes.fromhex(encode(whole)))
        self._world.close()

    @property
    def coins(self) -> int:
        """Give what the account holds, in whole XRP rounded up."""
        return -(-int(self._entry["Balance"]) // _DROPS)

    @property
    def _entry(self) -> Any:
        return self._world.state[account_key(self.address)]


class NearStranger:
    """An implicit account with so many whole NEAR, and the key to it."""

    def __init__(self, world: NearWorld, name: str, coins: int) -> None:
        from pyonear.crypto import ED25519SecretKey

        from shared.chains.near.keys import implicit_account, parse_key

        self._world = world
        self._secret = ED25519SecretKey.from_seed(name)
        self._key = str(self._secret.public_key())
        self.address = implicit_account(parse_key(self._key))
        world.fund(self.address, coins * _YOCTO)

    def pay(self, to: str, yocto: int) -> None:
        """Pay somebody, and make the blocks until that is final."""
        self._send(self._to(to).transfer(yocto))

    def send(self, asset: Asset, units: int, to: Destination) -> None:
        """Send a token with a memo, and make the blocks until that is final."""
        memo = {} if to.memo is None else {"memo": to.memo}
        args = {"receiver_id": to.address, "amount": str(units), **memo}
        self._send(self._to(asset.code).function_call("ft_transfer", json.dumps(args).encode(), _CALL_GAS, 1))

    @property
    def coins(self) -> int:
        """Give what the account holds, in whole NEAR rounded up."""
        return -(-self._world.balance(self.address) // _YOCTO)

    def _to(self, receiver: str) -> Transaction:
        from pyonear.account_id import AccountId
        from pyonear.crypto_hash import CryptoHash
        from pyonear.transaction import Transaction

        nonce = self._world.keys(self.address)[self._key].nonce + 1
        base = CryptoHash.from_str(self._world.chain.head.hash)
        return Transaction(
            AccountId(self.address), self._secret.public_key(), nonce, AccountId(receiver), base, []
        )

    def _send(self, tx: Transaction) -> None:
        from pyonear.account_id import AccountId
        from pyonear.crypto import InMemorySigner

        from online.devnet.near.world import BLOCKS_TO_SETTLE

        signer = InMemorySigner.from_secret_key(AccountId(self.address), self._secret)
        self._world.submit(bytes(tx.sign(signer)))
        self._world.advance(BLOCKS_TO_SETTLE + 1)


class XcpStranger:
    """A Bitcoin address with so many whole XCP and some bitcoins for fees, and the key to it."""

    def __init__(self, world: BitcoinWorld, tokens: CounterpartyWorld, name: str, coins: int) -> None:
        from coincurve import PrivateKey

        from shared.chains.bitcoin.addresses import address

        self._world, self._tokens = world, tokens
        self._secret = PrivateKey(sha256(name.encode()).digest())
        self._public = self._secret.public_key.format()
        self.address = address(self._public, "secp256k1", _BITCOIN, "p2wpkh")
        world.fund_all([(self.address, _SATS // 100)] * 4)
        tokens.credit(self.address, "XCP", coins * _SATS)

    def send(self, gateway: Gateway, amount: Amount, to: Destination) -> None:
        """Send an asset with a memo, by what any gateway builds; it waits for a block."""
        from shared.chains.bitcoin import BITCOIN
        from shared.chains.bitcoin.networks import key_path

        path = key_path(_BITCOIN, "secp256k1", 0, 0, "p2wpkh")
        wish = Plan("counterparty-send", _BITCOIN, self.address, path, self._public,
                    (Payment(self.address, to, amount),))  # fmt: skip
        built = gateway.build(wish, ())
        tx = BITCOIN.decode(built.unsigned, built.context, built.keys, _BITCOIN)
        signatures = [self._secret.sign_recoverable(one.message, hasher=None)[:64] for one in BITCOIN.payloads(tx)]
        self._world.submit(BITCOIN.assemble(tx, signatures).blob)

    @property
    def coins(self) -> int:
        """Give the whole XCP that the address has."""
        return self._tokens.books().balance(self.address, "XCP") // _SATS
