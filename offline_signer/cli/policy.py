"""`lockgate-signer policy`: write, sign and install the sealed policy."""

from __future__ import annotations

from pathlib import Path

import click

from offline_signer import setup
from offline_signer.cli.face import IN, OUT, Here, open_person, pass_here, require_administrator
from offline_signer.screen import show
from shared.errors import BadPolicy
from shared.policy import Person, Policy
from shared.policy_document import parse_policy, read_policy, seal_policy, sign_policy
from shared.review import printable
from shared.transport.media import read_file, write_file


@click.group()
def policy() -> None:
    """Say what may be signed: one sealed document for each epoch."""


@policy.command()
@click.argument("text", type=IN)
def check(text: Path) -> None:
    """Read a policy's text and say what is wrong with it."""
    _print(parse_policy(_text(text)))


@policy.command()
@click.argument("text", type=IN)
@click.option("--as", "key", type=IN, required=True, help="An administrator's key file.")
@click.option("--out", type=OUT, required=True)
@pass_here
def draft(here: Here, text: Path, key: Path, out: Path) -> None:
    """Seal a policy's text with a first administrator's signature."""
    source = _text(text)
    policy = parse_policy(source)
    _print(policy)
    person = open_person(key, policy.network_class)
    require_administrator(person, _administrators(here, policy))
    write_file(out, seal_policy(source, person.public_key, person.sign))


@policy.command(name="sign")
@click.argument("file", type=IN)
@click.option("--as", "key", type=IN, required=True, help="An administrator's key file.")
@pass_here
def sign_(here: Here, file: Path, key: Path) -> None:
    """Read a sealed policy and add an administrator's signature."""
    sealed = read_file(file)
    policy, text, opened = read_policy(sealed)
    show(_lines(text))
    person = open_person(key, policy.network_class)
    require_administrator(person, _administrators(here, policy), opened.signers)
    write_file(file, sign_policy(sealed, person.public_key, person.sign), overwrite=True)


@policy.command()
@click.argument("file", type=IN)
@pass_here
def install(here: Here, file: Path) -> None:
    """Put a policy in force on this signer."""
    sealed = read_file(file)
    with here.box() as box:
        _print(setup.install_policy(box, sealed))


@policy.command(name="show")
@pass_here
def show_(here: Here) -> None:
    """Show the policy in force, as the journal has it."""
    journal, _, in_force = here.look()
    sealed = next(entry.body["sealed"] for entry in reversed(journal.entries) if entry.kind == "policy")
    assert isinstance(sealed, bytes)
    show(_lines(read_policy(sealed)[1]))
    _print(in_force)


def _administrators(here: Here, draft: Policy) -> tuple[Person, ...]:
    """Give who signs a new policy: the administrators in force on this box, and only far from any box its own."""
    return here.administrators() or draft.administrators


def _text(path: Path) -> str:
    try:
        return read_file(path, 200_000).decode("utf-8")
    except UnicodeDecodeError:
        raise BadPolicy(f"{path} is not a text in UTF-8") from None


def _lines(text: str) -> list[str]:
    """Split as TOML does; `splitlines` also splits at letters with which a comment could fake a line."""
    return [printable(line) for line in text.replace("\r\n", "\n").rstrip("\n").split("\n")]


def _print(policy: Policy) -> None:
    names = ", ".join(wallet.name for wallet in policy.wallets)
    click.echo(f"policy of epoch {policy.epoch} for {policy.network_class} networks; wallets: {names}")
