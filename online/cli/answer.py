"""`lockgate answer`: what comes back from the signer, verified signature by signature."""

from __future__ import annotations

from typing import Any

import click

from online.cli.app import App, pass_app
from online.cli.output import fields, json_option, say
from shared.face.telling import progress_line


@click.group()
def answer() -> None:
    """Answers of the signer: import."""


@answer.command("import")
@click.argument("source")
@click.option("--timeout", type=click.IntRange(1, 3600), default=300, show_default=True, help="Seconds.")
@json_option
@pass_app
def import_(app: App, source: str, timeout: int, *, as_json: bool) -> None:
    """Take in an answer from SOURCE: file, GIF, folder of pictures, video, or `camera`. Prompts: station."""
    from online.jobs.answers import import_answer
    from shared.courier.inward import carry_in
    from shared.review import fingerprint

    show = progress_line()
    with app.writing() as store:
        received = carry_in(source, show, timeout_seconds=timeout)
        done = import_answer(store, received.sealed, app.now())
    value: dict[str, Any] = {
        "request": fingerprint(done.request),
        "answered": list(done.answered),
        "declined": list(done.declined),
        "repeated": done.repeated,
    }
    if received.scan is not None:
        scan, needed = received.scan, received.scan.progress.count
        value["frames"] = {"needed": needed, "pictures": scan.pictures, "readable": scan.readable}
    if as_json:
        fields(value, as_json=True)
        return
    say(f"request {value['request']}" + (": this answer came before, and nothing changed" if done.repeated else ""))
    for job in done.answered:
        say(f"job {job} answered")
    for job in done.declined:
        say(f"job {job} declined")
    if received.scan is not None:
        say(f"{value['frames']['needed']} frames needed, {value['frames']['pictures']} pictures seen")
