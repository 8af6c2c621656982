"""The laws of the house itself: who imports whom, what the signer's wheel holds, how refusals and files look.

Each test reads the repository as it is: it imports in fresh interpreters, builds the wheel, or walks sources.
"""

from __future__ import annotations

import ast
import importlib
import itertools
import pkgutil
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

from shared.errors import Refusal
from tests.house import ROOT, forbidden_among, imports_of, loaded_by, repository_files

ROOMS = ("shared", "offline_signer", "online")

MONEY = ("shared", "offline_signer", "online/ledger", "online/store", "online/orders", "online/jobs")
"""Where money is computed: no float may stand there."""

TIMED = ("shared/transport", "shared/courier")
"""Where a float is a time between frames, never money."""


# --- imports --------------------------------------------------------------------------------------


@pytest.mark.parametrize("package", ["shared", "offline_signer"])
def test_importing_all_of_a_room_loads_no_network(package: str) -> None:
    assert forbidden_among(loaded_by([package], ROOT)) == []


def test_the_watchman_sees_a_network_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "talker").mkdir()
    (tmp_path / "talker" / "__init__.py").write_text("import socket\n")
    assert "socket" in forbidden_among(loaded_by(["talker"], tmp_path))


@pytest.mark.parametrize("side", ["shared", "online"])
def test_chains_do_not_know_each_other(side: str) -> None:
    chains = {path.parent.name for path in (ROOT / side / "chains").glob("*/__init__.py")}
    for one, other in itertools.permutations(sorted(chains), 2):
        for path in (ROOT / side / "chains" / one).rglob("*.py"):
            assert f"{side}.chains.{other}" not in imports_of(path), f"{path} imports the chain {other}"


# --- the signer's wheel ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def signer_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the air-gapped distribution as its page says, and give the one wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT / "offline_signer", capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_the_signers_wheel_holds_offline_signer_and_shared_and_nothing_else(signer_wheel: Path) -> None:
    with zipfile.ZipFile(signer_wheel) as wheel:
        names = set(wheel.namelist())
    inside = {name.split("/")[0] for name in names}
    assert inside == {"offline_signer", "shared", "lockgate_signer-0.1.0.dist-info"}
    assert sources("offline_signer") | sources("shared") <= names
    assert not {
        name for name in names if name.endswith((".toml", ".txt", ".pyc")) and ".dist-info/" not in name
    }


def test_the_signers_wheel_alone_imports_whole_and_loads_no_network(
    signer_wheel: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(signer_wheel) as wheel:
        wheel.extractall(tmp_path)
    loaded = loaded_by(["offline_signer", "shared"], tmp_path)
    ours = {name: file for name, file in loaded.items() if name.split(".")[0] in {"offline_signer", "shared"}}
    assert forbidden_among(loaded) == []
    assert all(file is None or Path(file).is_relative_to(tmp_path) for file in ours.values()), ours


def sources(package: str) -> set[str]:
    """Give the names of a package's Python files as a wheel writes them."""
    return {path.relative_to(ROOT).as_posix() for path in (ROOT / package).rglob("*.py")}


# --- refusals -------------------------------------------------------------------------------------


def refusals() -> list[type[Refusal]]:
    """Give every kind of refusal that any module of the house defines."""
    for room in ROOMS:
        for found in pkgutil.walk_packages([str(ROOT / room)], f"{room}."):
            if "migrations" not in found.name and not found.name.endswith(".__main__"):
                importlib.import_module(found.name)
    return sorted(_below(Refusal), key=lambda kind: kind.__name__)


def _below(kind: type[Refusal]) -> set[type[Refusal]]:
    return {kind}.union(*(_below(child) for child in kind.__subclasses__()))


def test_every_refusal_has_a_code_of_its_own_in_kebab_case_and_a_hint() -> None:
    codes: dict[str, str] = {}
    for kind in refusals():
        code = vars(kind).get("code", "")
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code), (
            f"{kind.__name__} has no code of its own: {code!r}"
        )
        assert codes.setdefault(code, kind.__name__) == kind.__name__, (
            f"{code} names {codes[code]} and {kind.__name__}"
        )
        assert kind.hint.strip(), f"{kind.__name__} has no hint"
        assert (kind.__doc__ or "").strip(), f"{kind.__name__} does not say what it means"


def test_all_refusals_stand_in_one_file() -> None:
    rooms = {kind.__module__ for kind in refusals() if kind.__module__.split(".")[0] in ROOMS}
    assert rooms == {"shared.errors"}


# --- dependencies ---------------------------------------------------------------------------------


def project(path: str) -> dict[str, Any]:
    """Read the `project` table of a pyproject file."""
    table: dict[str, Any] = tomllib.loads((ROOT / path).read_text("utf-8"))["project"]
    return table


def needs(table: dict[str, Any], *extras: str) -> set[str]:
    """Give the names of what a project needs, by itself and with some extras."""
    chosen = [table["dependencies"], *(table["optional-dependencies"][extra] for extra in extras)]
    return {re.split(r"[\[<>=!~; ]", line)[0].lower() for line in itertools.chain(*chosen)}


def pinned(path: str) -> dict[str, str]:
    """Give the versions that a lock pins."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+) ", (ROOT / path).read_text("utf-8"), re.MULTILINE))


ONLINE = project("pyproject.toml")
SIGNER = project("offline_signer/pyproject.toml")
DISTRIBUTIONS = packages_distributions()
"""The distributions that give each importable name."""


@pytest.mark.parametrize("name", sorted(needs(ONLINE, "camera", "dev") | needs(SIGNER, "camera")))
def test_every_dependency_says_on_its_page_why_it_is_there(name: str) -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text("utf-8").lower()
    assert re.search(rf"^\| {re.escape(name)} \|", page, re.MULTILINE), (
        f"docs/dependencies.md has no line for {name}"
    )


def test_what_the_signer_needs_is_counted_on_two_hands_and_known_to_the_whole() -> None:
    assert len(needs(SIGNER)) <= 10
    assert needs(SIGNER) <= needs(ONLINE)


@pytest.mark.parametrize("room", ROOMS)
def test_whatever_a_room_imports_is_named_as_a_dependency(room: str) -> None:
    table = ONLINE if room == "online" else SIGNER
    named = needs(table, "camera")
    imported = {name.split(".")[0] for path in (ROOT / room).rglob("*.py") for name in imports_of(path)}
    foreign = imported - set(sys.stdlib_module_names) - set(ROOMS)
    unnamed = {name for name in foreign if not named & {dist.lower() for dist in DISTRIBUTIONS.get(name, ())}}
    assert unnamed == set(), f"{room} imports what no pyproject names"


@pytest.mark.parametrize("name", sorted(needs(ONLINE, "camera")))
def test_whatever_is_named_as_a_dependency_is_imported(name: str) -> None:
    imported = {part for room in ROOMS for path in (ROOT / room).rglob("*.py") for part in imports_of(path)}
    assert any(name in {dist.lower() for dist in DISTRIBUTIONS.get(part, ())} for part in imported)


def test_the_locks_pin_everything_that_is_needed_with_hashes_and_agree() -> None:
    root, signer = pinned("requirements.txt"), pinned("offline_signer/requirements.txt")
    camera = pinned("offline_signer/requirements-camera.txt")
    assert needs(ONLINE, "camera", "dev") <= set(root)
    assert needs(SIGNER) <= set(signer)
    assert needs(SIGNER, "camera") <= set(camera)
    assert signer.items() <= camera.items() <= root.items()
    for path in (
        "requirements.txt",
        "offline_signer/requirements.txt",
        "offline_signer/requirements-camera.txt",
    ):
        lines = (ROOT / path).read_text("utf-8").splitlines()
        assert all(
            re.fullmatch(r"[a-z0-9-]+==\S+ \\| {4}--hash=sha256:[0-9a-f]{64}( \\)?", line) for line in lines
        )


def test_both_distributions_bear_the_same_version() -> None:
    assert ONLINE["version"] == SIGNER["version"]


# --- files ----------------------------------------------------------------------------------------

FOREIGN = re.compile(
    r"(?<![\w.~-])/(?:work|root|tmp/v|home/\w+)/|\b(?:pypi|pythonhosted)\.org\b|--(?:extra-)?index-url"
)
"""Paths of one machine, and hosts or options of a package index."""


def test_no_file_names_a_path_of_one_machine_or_a_package_index() -> None:
    found = []
    for path in repository_files():
        text = path.read_bytes().decode("utf-8", errors="ignore")
        if path != Path(__file__).resolve() and (match := FOREIGN.search(text)):
            found.append(f"{path.relative_to(ROOT)}: {match[0]}")
    assert found == []


def test_no_float_stands_where_money_is_computed() -> None:
    found = [f"{path.relative_to(ROOT)}:{line}" for path in money_files() for line in float_lines(path)]
    assert found == []


def money_files() -> Iterator[Path]:
    """Give the sources in which an amount can be computed."""
    for folder in MONEY:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not path.relative_to(ROOT).as_posix().startswith(TIMED):
                yield path


def float_lines(path: Path) -> list[int]:
    """Give the lines with a float literal or the name `float`; an annotation counts as well."""
    tree = ast.parse(path.read_text("utf-8"))
    return [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Constant) and type(node.value) in {float, complex})
        or (isinstance(node, ast.Name) and node.id == "float")
    ]
