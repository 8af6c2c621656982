"""`lockgate-signer inspect | approve | sign`: the daily work."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import click

from offline_signer import ceremony, screen
from offline_signer.ceremony import Examination
from offline_signer.cli.face import IN, OUT, Here, open_person, pass_here, read_declines
from offline_signer.cli.places import require_room
from shared import chains
from shared.courier.foreign import Kind
from shared.courier.inward import carry_in
from shared.courier.outward import Carried, Ways, carry_out
from shared.envelope import NOTHING_SEEN, Approval, Declined, SeenLog, seal_approval
from shared.errors import AnswerNotCarried, NotApproved, Refusal
from shared.face.prompts import ask
from shared.face.telling import progress_line
from shared.person_key import PersonKey
from shared.transport.media import read_file, write_file

height_option = click.option("--height", type=click.IntRange(1), help="For a PSBT: the newest block's height, as you "
                             "read it on a ledger; needed where it carries data.")
decline_option = click.option("--decline", "declines", multiple=True, metavar="NUMBER=REASON",
                              help="Decline one transaction; may be said again.")


@click.command()
@click.argument("source")
@height_option
@click.option("--json", "as_json", is_flag=True, help="Print one object.")
@pass_here
def inspect(here: Here, source: str, *, height: int | None, as_json: bool) -> None:
    """Show what a request, or another maker's PSBT, would do and what the policy says of it; sign nothing."""
    examination = _look(here, carry_in(source, progress_line()).sealed, (), height)
    if as_json:
        click.echo(json.dumps(_as_json(examination), indent=2))
    else:
        screen.show([*examination.review.lines, "", *examination.lines()])


@click.command()
@click.argument("source")
@click.option("--as", "key", type=IN, required=True, help="The approver's key file.")
@click.option("--out", type=OUT, required=True, help="The approval's file.")
@decline_option
@height_option
@pass_here
def approve(
    here: Here, source: str, key: Path, out: Path, declines: tuple[str, ...], height: int | None
) -> None:
    """Approve a request or a PSBT without the vault, for a quorum whose people come one after another."""
    examination = _look(here, carry_in(source, progress_line()).sealed, read_declines(declines), height)
    screen.show([*examination.review.lines, "", *examination.lines()])
    if examination.objections:
        raise examination.objections[0]
    person = open_person(key, here.look()[2].network_class)
    write_file(out, _approval(examination, _seen(here), person))


@click.command()
@click.argument("source")
@click.option("--as", "keys", type=IN, multiple=True, help="An approver's key file; may be said again.")
@click.option("--approval", "approvals", type=IN, multiple=True, help="An approval made with `approve`.")
@decline_option
@height_option
@click.option("--yes", is_flag=True, help="Approve without asking, where no terminal is.")
@click.option("--out", type=OUT, help="The answer's file.")
@click.option("--gif", type=OUT, help="The answer as an animated GIF of QR frames.")
@click.option("--png", type=OUT, help="A folder for the answer's QR frames.")
@click.option("--terminal", is_flag=True, help="Play the answer's QR frames here.")
@click.option("--qr-version", type=click.IntRange(15, 27), default=20, show_default=True)
@click.option("--fps", type=click.IntRange(1, 15), default=10, show_default=True)
@click.option("--symbols", type=click.Choice(get_args(Kind)), help="For a PSBT: the symbols of the pictures; else ur.")
@click.option("--json", "as_json", is_flag=True, help="Print one object in the end.")
@pass_here
def sign(  # noqa: PLR0913 - a parameter for each option
    here: Here, source: str, *, keys: tuple[Path, ...], approvals: tuple[Path, ...], declines: tuple[str, ...],
    height: int | None, yes: bool, out: Path | None, gif: Path | None, png: Path | None, terminal: bool,
    qr_version: int, fps: int, symbols: Kind | None, as_json: bool,
) -> None:
    """Show a request or PSBT, judge it, have it approved, write the journal, sign, and give the answer."""
    ways = Ways(out, gif, png, terminal, qr_version, fps)
    if not (out or ways.pictured):
        raise click.UsageError("say where the answer goes: --out, --gif, --png or --terminal")
    require_room(ways)
    message = carry_in(source, progress_line()).sealed
    foreign = chains.interchange_of(message) is not None
    if symbols is not None and not foreign:
        raise click.UsageError("--symbols is for another maker's PSBT; a coordinator reads our own frames")
    with here.box() as box:
        def examine(declined: tuple[Declined, ...]) -> Examination:
            return ceremony.examine(message, box.history, box.policy(), box.vault.station, box.now(), declined, height)

        examination = _decide(examine, read_declines(declines), yes=yes, quiet=as_json)
        words = [read_file(path) for path in approvals]
        if not examination.repeated:
            class_ = box.policy().network_class
            words += [_approval(examination, box.seen(), open_person(key, class_)) for key in keys]
        begun = time.perf_counter_ns()
        with _stopped_late():
            answer = ceremony.sign(box, examine(examination.declined), words)
            spent = (time.perf_counter_ns() - begun) // 1_000
            checkpoint, seen = box.checkpoint(), box.seen()
    carried = _carry(answer, replace(ways, symbols=symbols or "ur") if foreign else ways)
    if as_json:
        click.echo(json.dumps(_done_json(examination, checkpoint, spent, carried), indent=2))
        return
    signed = len(examination.transactions) - len(examination.declined)
    click.echo(f"signed {signed}, declined {len(examination.declined)}; request {examination.review.fingerprint}")
    if ways.pictured:
        click.echo(f"the answer takes {carried.needed} frames; {carried.shown} are in a round")
    click.echo(f"journal: {seen.size} entries\nroot {seen.root.hex()}")


@contextmanager
def _stopped_late() -> Iterator[None]:
    """Say of Ctrl-C that it came when the journal may have the entry already."""
    try:
        yield
    except KeyboardInterrupt:
        raise AnswerNotCarried("stopped; the request may be signed already") from None


def _carry(answer: bytes, ways: Ways) -> Carried:
    """Give the answer out; what goes wrong now does not undo what was signed, and the hint says so.

    Raises:
        Refusal: as `carry_out`.
    """
    try:
        with _stopped_late():
            return carry_out(answer, ways)
    except Refusal as refusal:
        refusal.hint = AnswerNotCarried.hint
        raise


def _decide(
    examine: Callable[[tuple[Declined, ...]], Examination], declined: tuple[Declined, ...], *, yes: bool, quiet: bool
) -> Examination:
    """Show the request and hear what a person says; what they decline is judged anew."""
    while True:
        examination = examine(declined)
        if not (yes and quiet):
            screen.show([*examination.review.lines, "", *examination.lines()])
        if examination.repeated or (yes and not examination.objections):
            return examination
        if yes:
            raise examination.objections[0]
        said = ask("approve all that is not declined? (yes, no, or numbers to decline) ")
        if said == "yes":
            if examination.objections:
                raise examination.objections[0]
            return examination
        numbers = said.replace(",", " ").split()
        if not numbers or not all(number.isascii() and number.isdigit() and int(number) for number in numbers):
            raise NotApproved("the request was not approved")
        reason = ask("why? ") or "declined at the signer"
        places = {one.position: one for one in declined}
        places |= {int(number) - 1: Declined(int(number) - 1, reason[:200]) for number in numbers}
        declined = tuple(places[place] for place in sorted(places))


def _look(here: Here, message: bytes, declined: tuple[Declined, ...], height: int | None) -> Examination:
    journal, history, policy = here.look()
    assert journal.tip.key is not None
    now = max(here.clock(), history.last_time)
    return ceremony.examine(message, history, policy, journal.tip.key, now, declined, height)


def _seen(here: Here) -> SeenLog:
    tip = here.look()[0].tip
    return SeenLog(tip.size, tip.root()) if tip.size else NOTHING_SEEN


def _approval(examination: Examination, seen: SeenLog, person: PersonKey) -> bytes:
    approval = Approval(examination.digest, examination.declined, seen)
    return seal_approval(approval, person.public_key, person.sign)


def _done_json(examination: Examination, checkpoint: str, microseconds: int, carried: Carried) -> dict[str, Any]:
    """Say what was done; `microseconds` is the whole path from the request's bytes to the sealed answer."""
    return {
        "request": examination.digest.hex(),
        "fingerprint": examination.review.fingerprint,
        "signed": len(examination.transactions) - len(examination.declined),
        "declined": len(examination.declined),
        "repeated": examination.repeated,
        "checkpoint": checkpoint,
        "microseconds": microseconds,
        "frames": {"needed": carried.needed, "shown": carried.shown},
    }


def _as_json(examination: Examination) -> dict[str, Any]:
    return {
        "request": examination.digest.hex(),
        "fingerprint": examination.review.fingerprint,
        "review": list(examination.review.lines),
        "decision": list(examination.lines()),
        "objections": [{"code": one.code, "message": str(one)} for one in examination.objections],
        "approvals": examination.decision.approvals,
    }
