"""`lockgate-signer`: the root of the commands, the set-up of a box, and how a refusal or a fault ends."""

from __future__ import annotations

import gc
import secrets
import sys
from pathlib import Path
from typing import Any

import click

from offline_signer import airgap, screen, setup
from offline_signer.cli.descriptor import descriptor
from offline_signer.cli.face import OUT, Here, kdf_option, pass_here
from offline_signer.cli.journal import journal
from offline_signer.cli.person import person
from offline_signer.cli.policy import policy
from offline_signer.cli.prove import prove
from offline_signer.cli.release import release
from offline_signer.cli.serve import serve
from offline_signer.cli.signing import approve, inspect, sign
from offline_signer.vault import MOST_GENERATION, require_makable
from shared import chains
from shared.errors import BadWords
from shared.face import ending
from shared.face.prompts import ask, ask_new_secret, ask_secret, is_terminal
from shared.lockbox import LIGHT, STANDARD
from shared.people import parse_person, person_line
from shared.policy import Person
from shared.review import printable
from shared.transport.media import write_file

ASKED_BACK = 3
_HOUSES = ("lockgate-signer", "lockgate")


def _version(context: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's own order
    """Say the version of the distribution that brought this program: the box's own, or the whole house."""
    if not wanted:
        return
    # It loads a network module, so only this answer does, which ends here.
    from importlib.metadata import distributions

    names = {found.metadata["Name"]: found.version for found in distributions() if found.metadata["Name"] in _HOUSES}
    click.echo(next(names[name] for name in _HOUSES if name in names))
    context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", type=OUT, default=Path("signer-data"), envvar="LOCKGATE_SIGNER_HOME", show_default=True,
              help="The signer's folder.")
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_version,
              help="Say which version this is.")
@click.pass_context
def cli(context: click.Context, home: Path) -> None:
    """Hold the keys, show what a request does, judge it by the sealed policy, and sign."""
    context.obj = Here(home)


@cli.command()
@click.option("--network-class", type=click.Choice(["test", "main"]), required=True)
@click.option("--admin", "admins", multiple=True, required=True, help='An administrator: "NAME ed25519:HEX".')
@click.option("--quorum", type=click.IntRange(1), required=True, help="How many administrators must agree.")
@click.option("--dice", default="", help="Dice rolls (digits 1 to 6) to mix into the system's randomness.")
@click.option("--restore", is_flag=True, help="Make the vault again from its 24 words.")
@click.option("--lost", type=click.IntRange(0, MOST_GENERATION - 1), default=0, show_default=True,
              help="With --restore: how many journals of these words were given up before.")
@kdf_option
@pass_here
def init(here: Here, *, network_class: Any, admins: tuple[str, ...], quorum: int, dice: str, restore: bool,
         lost: int, kdf: str) -> None:
    """Make the vault of this box, or make it again from its words."""
    if (restore and dice) or (lost and not restore):
        raise click.UsageError("--dice is for a new vault, --lost for a restored one")
    people = [parse_person(line) for line in admins]
    require_makable(here.folder, people, quorum)  # told before anybody writes words on paper
    _warn_of_network()
    passphrase = ask_new_secret("vault passphrase")
    settings: Any = {"network_class": network_class, "administrators": people, "quorum": quorum,
                     "kdf": LIGHT if kdf == "light" else STANDARD}
    if restore:
        station = setup.restore(here.folder, ask_secret("24 words"), passphrase, lost=lost, **settings)
        click.echo("the box is restored and signs nothing until it has its journal: `journal takeover`", err=True)
    else:
        words = setup.new_words(dice)
        _teach(words.split())
        station = setup.make(here.folder, words, passphrase, clock=here.clock, **settings)
    click.echo(person_line(Person("signer", station)))


@cli.command()
@click.argument("wallet")
@click.option("--network", required=True, help="Such as xrpl:mainnet.")
@click.option("--tier", type=click.Choice(["hot", "warm", "cold"]), required=True)
@click.option("--curve", type=click.Choice(["secp256k1", "ed25519"]), help="Else the one that is usual there.")
@click.option("--form", default="", help="The form of the addresses, such as p2tr on Bitcoin; else the usual one.")
@click.option("--account", type=click.IntRange(0), default=0, show_default=True)
@click.option("--count", type=click.IntRange(1), default=1, show_default=True, help="How many keys are issued.")
@click.option("--out", type=OUT, required=True, help="The card's file.")
@pass_here
def card(here: Here, wallet: str, out: Path, **settings: Any) -> None:
    """Write a wallet's public card for the coordinator."""
    network = settings["network"]
    chains.chain(network).network(network)  # an unknown network is told before a passphrase is asked for
    with here.box() as box:
        sealed = setup.issue_card(box, wallet, **settings)
        addresses = box.history.wallets[wallet].addresses
    write_file(out, sealed, overwrite=True)
    for index, address in enumerate(addresses):
        click.echo(f"{wallet} {index}: {address}")


cli.add_command(descriptor)
cli.add_command(person)
cli.add_command(policy)
cli.add_command(inspect)
cli.add_command(approve)
cli.add_command(sign)
cli.add_command(prove)
cli.add_command(serve)
cli.add_command(release)
cli.add_command(journal)


_OBJECTS_BETWEEN_LOOKS = 200_000
"""How many new objects let Python look for cycles: all those of a large request live until its end, so looking again
and again among them finds nothing and takes a sixth of the time."""


def main() -> None:
    """Run a command and end with its exit code."""
    gc.set_threshold(_OBJECTS_BETWEEN_LOOKS)
    sys.exit(ending.run(
        lambda: cli.main(prog_name="lockgate-signer", standalone_mode=False),
        misuse=click.ClickException, aborted=click.Abort, stopped="stopped; nothing was signed",
    ))


def _teach(words: list[str]) -> None:
    """Show the words once and ask some of them back."""
    lines = ["Write these 24 words on paper, in this order. They are every key of this box,", "and are shown once.", ""]
    lines += ["   ".join(f"{row + column * 6 + 1:2} {words[row + column * 6]:<9}" for column in range(4))
              for row in range(6)]
    click.echo("\n".join(lines))
    if is_terminal():
        ask("Press Enter when they are on paper. ")
        screen.wipe()
    for place in sorted(secrets.SystemRandom().sample(range(24), ASKED_BACK)):
        if ask_secret(f"word {place + 1}") != words[place]:
            raise BadWords(f"word {place + 1} is another one; nothing was made")


def _warn_of_network() -> None:
    for finding in airgap.findings():
        click.echo(f"warning: this box should be alone, but has {printable(finding)}", err=True)

