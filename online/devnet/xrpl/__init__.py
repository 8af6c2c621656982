"""A small XRP Ledger: accounts, tickets, keys, signer lists, ledgers that close, and rippled's answers.

`XrplWorld` is the ledger itself; `answer` in `rpc.py` is its JSON-RPC face. What it leaves out: tokens,
offers, escrows, consensus between several nodes, real tree hashes in ledger headers, and owner directories
in metadata.
"""

from online.devnet.xrpl.world import XrplWorld

__all__ = ["XrplWorld"]
