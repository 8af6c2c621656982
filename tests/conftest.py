"""What every test shares: hypothesis, the kinds of stores, a line that says which vectors and servers are there."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from coverage import Coverage
from hypothesis import HealthCheck, settings

from tests.house import reaches_online
from tests.shared_vectors import FOLDER, PRESENT
from tests.store_place import BOTH, SERVER, placed

REAL_NODES = ("LOCKGATE_XRPL_URL", "LOCKGATE_BITCOIN_URL", "LOCKGATE_BITCOIN_WHOLE_URL")
"""The variables that name real servers for the suites marked `real`; each suite skips itself without its own."""

MEASURED = ("test_courier", "test_psbt", "test_signer")
"""Suites about the signer that have the coordinator's parts for company; all others that reach those are about them."""

# No deadline: two cores shared by many workers make any single example slow now and then.
# Derandomised: a failure in one run is a failure in the next; LOCKGATE_FUZZ=1 draws anew.
settings.register_profile(
    "lockgate",
    deadline=None,
    derandomize="LOCKGATE_FUZZ" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("lockgate")


def pytest_report_header() -> str:
    """Say loudly when a run proves less than it could."""
    vectors = "present" if PRESENT else f"MISSING (looked in {FOLDER}; tests that read them are skipped)"
    nodes = ", ".join(name for name in REAL_NODES if os.environ.get(name)) or "none given"
    left = ", ".join(f"{name}*" for name in BOTH)
    stores = "SQLite and PostgreSQL" if SERVER else f"SQLite ALONE (LOCKGATE_POSTGRES_URL names no server for {left})"
    return f"shared vectors: {vectors}; real nodes: {nodes}; stores: {stores}"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Read whose tests are measured before any runs: Python 3.11 can not always read a source beside other threads."""
    for path in {item.path for item in session.items}:
        reaches_online(path)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure coverage in the tests of `shared` and `offline_signer`: tracing makes others slower by half."""
    measuring = Coverage.current()
    if measuring is None or item.path.name.startswith(MEASURED) or not reaches_online(item.path):
        return (yield)
    measuring.stop()
    try:
        return (yield)
    finally:
        measuring.start()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let the coordinator's suites run on every kind of store that is at hand."""
    both = Path(metafunc.module.__file__).name.startswith(BOTH)
    if SERVER and both and not metafunc.definition.get_closest_marker("large"):
        metafunc.parametrize("a_place_for_stores", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def a_place_for_stores(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let the test's stores stand on the kind that it runs on."""
    with placed(getattr(request, "param", "sqlite")):
        yield
