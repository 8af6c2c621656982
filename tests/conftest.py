"""What every test shares: hypothesis, the `real` marker, a line that says which vectors are there."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.shared_vectors import FOLDER, PRESENT

REAL_NODE = "LOCKGATE_XRPL_URL"
"""The variable that names a real server for the suite marked `real`."""

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
    return f"shared vectors: {vectors}; real node: {os.environ.get(REAL_NODE, 'none given')}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a real node where none is named."""
    if REAL_NODE in os.environ:
        return
    skip = pytest.mark.skip(reason=f"{REAL_NODE} names no node")
    for item in items:
        if "real" in item.keywords:
            item.add_marker(skip)
