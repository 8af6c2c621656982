"""The doctor's checks, one a line. A check that does not apply is neither good nor bad."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import NotSetUp, Refusal

if TYPE_CHECKING:
    from online.cli.app import App

_PACKAGES = (
    "lockgate", "click", "coincurve", "pynacl", "sqlalchemy", "alembic", "xrpl-py", "pillow",
    "zxing-cpp", "pyzbar",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, whether it is good (None: does not apply), and what was found."""

    name: str
    ok: bool | None
    text: str


def check_all(app: App) -> list[Check]:
    """Do every check; a refusal is a finding."""
    machine = [_python(), *map(_package, _PACKAGES), _readers(), _camera(), _networks()]
    try:
        _ = app.config
    except NotSetUp as refusal:
        return [*machine, Check("coordinator", None, f"{refusal}")]
    except Refusal as refusal:
        return [*machine, Check("coordinator", False, f"{refusal}")]
    house = [_settings(app), _tried("station", lambda: _station(app)), _tried("store", lambda: _store(app))]
    return [*machine, *house, *_pools(app), *_nodes(app)]


def _python() -> Check:
    return Check("python", sys.version_info >= (3, 11), platform.python_version())


def _package(name: str) -> Check:
    try:
        return Check(name, True, version(name))
    except PackageNotFoundError:
        return Check(name, None if name == "lockgate" else False, "not installed")


def _readers() -> Check:
    from shared.transport.qr import readers

    found = readers()
    missing = "" if "pyzbar" in found else "; libzbar is missing, so the second reader is absent"
    return Check("qr readers", bool(found), ", ".join(found) + missing)


def _camera() -> Check:
    cameras = ", ".join(sorted(str(path) for path in Path("/dev").glob("video*"))) or "no camera"
    try:
        return Check("camera", True, f"{cameras}; OpenCV {version('opencv-python-headless')}")
    except PackageNotFoundError:
        return Check("camera", None, f"{cameras}; no OpenCV, so videos and cameras can not be read")


def _networks() -> Check:
    from shared import chains

    return Check("chains", True, ", ".join(chains.names()))


def _settings(app: App) -> Check:
    """Look whether others could read a password: libpq's own file, or a node's cookie, keeps it better."""
    file, others = app.config.file, app.config.file.stat().st_mode & 0o077
    if not app.config.holds_password:
        return Check("settings", True, f"{file}, without a password")
    if others:
        return Check("settings", False, f"{file} holds a password and can be read by others: chmod 600")
    return Check("settings", True, f"{file} holds a password, which only its owner can read")


def _station(app: App) -> str:
    from online.people import station_line

    return station_line(app.config)


def _store(app: App) -> str:
    from online.store.people import people
    from online.store.signers import signers
    from online.store.wallets import wallets

    with app.reading() as store:
        counts = len(people(store)), len(signers(store)), len(wallets(store))
    return "{} people, {} signers, {} wallets".format(*counts)


def _pools(app: App) -> Iterator[Check]:
    from online.deposits.instructions import low_pools

    try:
        with app.reading() as store, store.reading() as connection:
            yield from (Check(f"addresses {pool.wallet}", False, str(pool)) for pool in low_pools(connection))
    except Refusal:
        return  # the store's own line says why


def _nodes(app: App) -> Iterator[Check]:
    for section in app.config.networks.values():
        line = f"node {section['network']}"
        try:
            report = app.gateways[section["network"]].check()
        except Refusal as refusal:
            yield Check(line, False, f"{refusal} [{refusal.code}]")
            continue
        yield Check(line, True, "; ".join((f"{report.url} {report.version}, ledger {report.height}", *report.lines)))
        yield from (Check(line, False, warning) for warning in report.warnings)


def _tried(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except Refusal as refusal:
        return Check(name, False, f"{refusal} [{refusal.code}]")
