"""Who may sign for the administrators: a stranger's signature, or a second one, is refused before it spoils the file.

Policies are drafted and signed by command, on a box with a policy, on a fresh one, and far from any box.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from offline_signer import journal_file, setup
from shared.lockbox import LIGHT
from shared.policy import Person
from shared.words import words_from_entropy
from tests.signer_command import PASSPHRASE, SECRET, Desk, make_desk
from tests.signing_world import World

Both = tuple[Desk, World]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    return make_desk(tmp_path_factory.mktemp("administrators"))


def text(both: Both, name: str, **changes: object) -> Path:
    desk, world = both
    path = desk.folder / f"{name}.toml"
    path.write_text(world.policy_text(epoch=2, **changes), "utf-8")
    return path


def by(both: Both, name: str) -> list[object]:
    return ["--as", both[0].person(both[1], name)]


def test_only_an_administrator_in_force_drafts_and_signs_a_policy(both: Both) -> None:
    desk, _ = both
    source, sealed = text(both, "next"), desk.folder / "next.sealed"
    draft = ["policy", "draft", source, "--out", sealed]
    done = desk.run(*draft, *by(both, "carol"), lines=[SECRET])
    assert "carol with this key is no administrator; they are: ann, ben [not-administrator]" in done.stderr
    assert not sealed.exists()
    desk.ok(*draft, *by(both, "ann"), lines=[SECRET])
    before = sealed.read_bytes()
    assert desk.refused("policy", "sign", sealed, *by(both, "carol"), lines=[SECRET]) == "not-administrator"
    done = desk.run("policy", "sign", sealed, *by(both, "ann"), lines=[SECRET])
    assert "ann has signed already [signed-already]" in done.stderr
    assert sealed.read_bytes() == before
    desk.ok("policy", "sign", sealed, *by(both, "ben"), lines=[SECRET])
    assert desk.refused("policy", "sign", sealed, *by(both, "ben"), lines=[SECRET]) == "signed-already"


def test_administrators_that_a_policy_brings_do_not_sign_it_themselves(both: Both) -> None:
    desk, world = both
    source = text(both, "coup", ann=world.people["eve"].line)
    draft = ["policy", "draft", source, "--out", desk.folder / "coup.sealed"]
    assert desk.refused(*draft, *by(both, "eve"), lines=[SECRET]) == "not-administrator"
    desk.ok(*draft, *by(both, "ann"), lines=[SECRET])


def test_before_the_first_policy_those_of_the_set_up_sign(both: Both, tmp_path: Path) -> None:
    _, world = both
    people = [Person(name, world.people[name].public) for name in ("ann", "dave")]
    setup.make(tmp_path / "box", words_from_entropy(bytes(32)), PASSPHRASE, network_class="test", quorum=2, kdf=LIGHT,
               administrators=people, clock=world.clock)
    fresh = Desk(tmp_path, tmp_path / "box")
    draft = ["policy", "draft", text(both, "first"), "--out", tmp_path / "first.sealed"]
    assert fresh.refused(*draft, *by(both, "ben"), lines=[SECRET]) == "not-administrator"  # though the text names him
    fresh.ok(*draft, *by(both, "dave"), lines=[SECRET])


def test_far_from_any_box_those_whom_the_text_names_sign(both: Both, tmp_path: Path) -> None:
    far = Desk(tmp_path, tmp_path / "no box here")
    draft = ["policy", "draft", text(both, "far"), "--out", tmp_path / "far.sealed"]
    assert far.refused(*draft, *by(both, "dave"), lines=[SECRET]) == "not-administrator"
    far.ok(*draft, *by(both, "ann"), lines=[SECRET])
    sign = ["policy", "sign", tmp_path / "far.sealed"]
    assert far.refused(*sign, *by(both, "eve"), lines=[SECRET]) == "not-administrator"
    far.ok(*sign, *by(both, "ben"), lines=[SECRET])
    assert not far.home.exists()


def test_a_release_is_drafted_and_signed_by_administrators_alone(both: Both, tmp_path: Path) -> None:
    desk, world = both
    out = desk.folder / "release"
    draft = ["release", "clock", "--until", 2**33, "--evidence", "seen by two", "--out", out]
    assert desk.refused(*draft, *by(both, "carol"), lines=[SECRET]) == "not-administrator"
    assert not out.exists()
    desk.ok(*draft, *by(both, "ann"), lines=[SECRET])
    assert desk.refused("release", "sign", out, *by(both, "carol"), lines=[SECRET]) == "not-administrator"
    assert desk.refused("release", "sign", out, *by(both, "ann"), lines=[SECRET]) == "signed-already"
    far = Desk(tmp_path, tmp_path / "no box here")
    assert far.refused("release", "sign", out, *by(both, "ann"), lines=[SECRET]) == "signed-already"
    far.ok("release", "sign", out, *by(both, "ben"), lines=[SECRET])
    assert "confirmed" in desk.ok("release", "apply", out, lines=[PASSPHRASE])
    assert journal_file.read(world.folder, world.station).entries[-1].kind == "release"
