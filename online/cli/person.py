"""`lockgate person`: who drafts and who approves. Key files are made here, their public halves registered."""

from __future__ import annotations

import click

from online.cli.app import App, pass_app
from online.cli.output import fields, json_option, listing
from shared.errors import Refusal
from shared.face.prompts import ask_new_secret


@click.group()
def person() -> None:
    """People: make a key file, register, list."""


@person.command()
@click.argument("name")
@click.option("--kdf", type=click.Choice(["standard", "light"]), default="standard", show_default=True)
@json_option
@pass_app
def new(app: App, name: str, kdf: str, *, as_json: bool) -> None:
    """Make NAME's key file and register NAME. Prompts: station; NAME's new passphrase, twice."""
    from online.people import new_person
    from online.store.people import add_person

    with app.writing() as store:
        key = new_person(app.config, name, ask_new_secret(f"new passphrase of {name}"), kdf)
        try:
            add_person(store, key.name, key.public_key, app.now())
        except Refusal:
            app.config.person_file(name).unlink()  # a key that nobody knows would only mislead
            raise
    fields({"person": key.line, "file": str(app.config.person_file(name))}, as_json=as_json)


@person.command()
@click.argument("line")
@json_option
@pass_app
def add(app: App, line: str, *, as_json: bool) -> None:
    """Register a person whose key was made elsewhere, by the LINE "NAME ed25519:HEX". Prompts: station."""
    from online.store.people import add_person
    from shared.people import parse_person, person_line

    found = parse_person(line)
    with app.writing() as store:
        added = add_person(store, found.name, found.key, app.now())
    fields({"person": person_line(added)}, as_json=as_json)


@person.command("list")
@json_option
@pass_app
def list_(app: App, *, as_json: bool) -> None:
    """List who is registered, and whose key file is here."""
    from online.store.people import people

    with app.reading() as store:
        rows = [
            {
                "name": one.name,
                "key": f"ed25519:{one.key.hex()}",
                "key_file": app.config.person_file(one.name).is_file(),
            }
            for one in people(store)
        ]
    listing(rows, ["name", "key", "key_file"], as_json=as_json)
