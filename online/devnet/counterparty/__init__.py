"""A small Counterparty on the small Bitcoin: a second reader of its messages, balances, and the node's v2 answers.

`CounterpartyWorld` is the node; `serve_counterparty` its REST face. What it leaves out: issuances, orders, dispensers
and every other message that is no send, sweep or broadcast; attaching and detaching by message (`attach` decrees it);
the P2SH encoding; and the v1 API.
"""

from online.devnet.counterparty.http import serve_counterparty
from online.devnet.counterparty.world import CounterpartyWorld

__all__ = ["CounterpartyWorld", "serve_counterparty"]
