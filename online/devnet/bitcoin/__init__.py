"""A small Bitcoin (regtest) with mempool, blocks and reorganisations, and bitcoind's answers.

`BitcoinWorld` is the network with one node on it; `serve_bitcoin` its JSON-RPC face. Consensus is Bitcoin Core's own,
through py-bitcoinkernel. What it leaves out: peers, wallets, packages deeper than one child with its parents, fee
estimation from history, and reject reasons finer than the kernel's yes or no.
"""

from online.devnet.bitcoin.http import RunningServer, serve_bitcoin
from online.devnet.bitcoin.miner import Miner
from online.devnet.bitcoin.policy import KNOTS, KNOTS_OPEN, OLDER, Policy
from online.devnet.bitcoin.wire import Outpoint
from online.devnet.bitcoin.world import BitcoinWorld

__all__ = [
    "KNOTS",
    "KNOTS_OPEN",
    "OLDER",
    "BitcoinWorld",
    "Miner",
    "Outpoint",
    "Policy",
    "RunningServer",
    "serve_bitcoin",
]
