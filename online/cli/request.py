"""`lockgate request`: what goes to the signer, with the same review and fingerprint that the signer shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from online.cli.app import App, pass_app
from online.cli.output import fields, json_option, listing, note, say
from online.cli.views import find_order, find_request, request_value
from shared.courier.foreign import Kind
from shared.courier.outward import Ways, carry_out
from shared.errors import ForeignSignerAsked, Refusal
from shared.review import fingerprint

if TYPE_CHECKING:
    from online.store.database import Store


@click.group()
def request() -> None:
    """Requests for the signer: export, list, show again."""


def carrying(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say how a message travels."""
    path = click.Path(path_type=Path)
    for option in (
        click.option(
            "--symbols", type=click.Choice(get_args(Kind)), help="For a device: the pictures' format; else ur."
        ),
        click.option("--fps", type=click.IntRange(1, 15), default=10, show_default=True),
        click.option("--qr-version", "version", type=click.IntRange(15, 27), default=20, show_default=True),
        click.option("--terminal", is_flag=True, help="Play the frames here, until q."),
        click.option("--png", type=path, help="Write the frames as pictures into this folder."),
        click.option("--gif", type=path, help="Write the frames as an animated GIF."),
        click.option("--out", "file", type=path, help="Write the bytes into this file."),
    ):
        command = option(command)
    return command


@request.command()
@click.argument("order", required=False)
@click.option("--signer", "signer_name", help="For this signer, where no order says which.")
@carrying
@json_option
@pass_app
def export(app: App, /, order: str | None, signer_name: str | None, *, as_json: bool, **how: Any) -> None:
    """Build approved jobs (of ORDER, or all) and export them as one request. Prompts: station.

    For a device of another maker this is a PSBT of one transaction; the next export is that of the next one.
    """
    from online.cli.exporting import export_orders

    with app.writing() as store:
        found = None if order is None else find_order(store, order)
        exported = export_orders(store, app.gateways, app.now(), found, signer_name)
        try:
            _show(store, exported.digest, Ways(**how), as_json=as_json)
        except Refusal:
            note(f"the request is exported: carry it with `lockgate request show {fingerprint(exported.digest)}`")
            raise


@request.command("list")
@json_option
@pass_app
def list_(app: App, *, as_json: bool) -> None:
    """List requests."""
    from online.jobs.export import requests

    with app.reading() as store:
        rows = [request_value(one) for one in requests(store)]
    if not as_json:
        rows = [{**row, "jobs": [f"job {job}" for job in row["jobs"]]} for row in rows]
    listing(rows, ["fingerprint", "created", "jobs", "answered", "open"], as_json=as_json)


@request.command()
@click.argument("request_id", metavar="REQUEST")
@carrying
@json_option
@pass_app
def show(app: App, /, request_id: str, *, as_json: bool, **how: Any) -> None:
    """Show a request's review, and carry the same bytes once more where a way is named."""
    with app.reading() as store:
        _show(store, find_request(store, request_id).digest, Ways(**how), as_json=as_json)


def _show(store: Store, digest: bytes, ways: Ways, *, as_json: bool) -> None:
    """Show the review, then carry; a terminal's frames come last, so that they do not hide it."""
    from online.cli.exporting import review_of
    from online.jobs.export import request_blob

    review = review_of(store, digest)
    if not as_json:
        for line in review.lines:
            say(line)
    blob = request_blob(store, digest)
    carried = carry_out(blob, in_its_format(blob, ways))
    value = {
        **request_value(find_request(store, digest.hex())),
        "bytes": carried.sealed_bytes,
        "files": [str(file) for file in carried.files],
        "frames": {"needed": carried.needed, "shown": carried.shown},
    }
    if as_json:
        fields({**value, "review": list(review.lines)}, as_json=True)
        return
    for file in carried.files:
        note(f"wrote {file}")
    if not ways.pictured and ways.file is None:
        note("carry it with --out, --gif, --png or --terminal")


def in_its_format(blob: bytes, ways: Ways) -> Ways:
    """Show what goes to a device in symbols that it reads. Raises ForeignSignerAsked for symbols that ours does not."""
    from shared.chains import interchange_of

    if interchange_of(blob) is not None:
        return replace(ways, symbols=ways.symbols or "ur")
    if ways.symbols is not None:
        raise ForeignSignerAsked("a signer of ours reads our own frames, which need no --symbols")
    return ways
