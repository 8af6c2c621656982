"""`lockgate decode`: explains a transaction, or refuses what is not fully understood."""

from __future__ import annotations

import sys

import click

from online.cli.output import fields, json_option
from shared.errors import BadEncoding


@click.command()
@click.argument("chain")
@click.argument("hex_text", metavar="HEX")
@click.option("--network", default="mainnet", show_default=True, help="Such as testnet, local or net-31337.")
@json_option
def decode(chain: str, hex_text: str, network: str, *, as_json: bool) -> None:
    """Explain a transaction of CHAIN, signed or unsigned, given as HEX (or - for standard input)."""
    from shared import chains

    meaning = chains.chain(chain.partition(":")[0])
    text = sys.stdin.read() if hex_text == "-" else hex_text
    full = network if ":" in network else f"{meaning.name}:{network}"
    meaning.network(full)  # an unknown network is told before the bytes are blamed
    fields(dict(meaning.explain(_bytes(text.strip()), full)), as_json=as_json)


def _bytes(text: str) -> bytes:
    # bytes.fromhex would let blanks through; one transaction has one writing.
    if not text or len(text) % 2 or set(text.lower()) - set("0123456789abcdef"):
        raise BadEncoding("this is no hex")
    return bytes.fromhex(text)
