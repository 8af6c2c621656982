"""What every test shares: hypothesis, the `real` marker, a line that says which vectors are there."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

from tests.shared_vectors import FOLDER, PRESENT

REAL_NODES = ("LOCKGATE_XRPL_URL", "LOCKGATE_BITCOIN_URL")
"""The variables that name real servers for the suites marked `real`; each suite skips itself without its own."""

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
    return f"shared vectors: {vectors}; real nodes: {nodes}"
