"""A small NEAR: accounts, keys, receipts over several blocks, refunds, tokens, and nearcore's answers.

`NearWorld` is the network with one node on it; `serve_near` its JSON-RPC face. What transactions say and whose they
are is decided by nearcore's own crates (pyonear). What it leaves out: validators and stakes, WebAssembly (contracts are
a few tables of methods in Python, whose gas is a fixed amount), merkle proofs, congestion, gas keys, transactions of
version 1.
"""

from online.devnet.near.http import serve_near
from online.devnet.near.ticker import Blocks
from online.devnet.near.world import NearWorld

__all__ = ["Blocks", "NearWorld", "serve_near"]
