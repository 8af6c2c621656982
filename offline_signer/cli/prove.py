"""`lockgate-signer prove`: show somebody that a wallet's key is held here, without a transaction."""

from __future__ import annotations

import re
from pathlib import Path

import click

from offline_signer import ownership, screen
from offline_signer.cli.face import IN, OUT, Here, open_person, pass_here
from shared.chains.api import Words
from shared.envelope import Approval, seal_approval
from shared.errors import NotApproved
from shared.face.prompts import ask
from shared.transport.media import write_file


@click.command()
@click.argument("wallet")
@click.option("--message", required=True, help="The text, as whoever asks gave it.")
@click.option("--recipient", required=True, help="Who asks, as they call themselves.")
@click.option("--nonce", required=True, metavar="HEX", help="The 32 bytes that they chose, 64 hex digits.")
@click.option("--index", type=click.IntRange(0), default=0, show_default=True, help="Which key of the wallet.")
@click.option("--as", "keys", type=IN, multiple=True, required=True, help="An approver's key file; may be said again.")
@click.option("--yes", is_flag=True, help="Approve without asking, where no terminal is.")
@click.option("--out", type=OUT, required=True, help="The proof's file, JSON.")
@pass_here
def prove(  # noqa: PLR0913 - a parameter for each option
    here: Here, wallet: str, *, message: str, recipient: str, nonce: str, index: int, keys: tuple[Path, ...],
    yes: bool, out: Path,
) -> None:  # fmt: skip
    """Sign a proof that this signer holds a key of WALLET. It moves nothing and is never automatic."""
    if re.fullmatch(r"[0-9a-fA-F]{64}", nonce, re.ASCII) is None:
        raise click.UsageError("--nonce is 64 hex digits")
    words = Words(message, recipient, bytes.fromhex(nonce))
    with here.box() as box:
        policy, question = box.policy(), ownership.ask(box.history, wallet, index, words)
        screen.show(question.lines())
        if not yes and ask("approve this proof? (yes or no) ") != "yes":
            raise NotApproved("the proof was not approved")
        approval = Approval(question.digest, (), box.seen())
        people = [open_person(key, policy.network_class) for key in keys]
        approvals = [seal_approval(approval, person.public_key, person.sign) for person in people]
        proof = ownership.prove(box, question, approvals)
    write_file(out, proof)
    click.echo(f"proof written; journal: {box.history.size} entries")
