"""Indexes for what replaces a job, pays an address, arrived above a height or waits there, and is signed by a path."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the indexes, and let those of arrivals know the network: else what is found by it alone seems as good."""
    op.drop_index("ix_arrivals_state", "arrivals")
    op.create_index("arrivals_by_state", "arrivals", ["state", "network", "height"])
    op.create_index("ix_jobs_replaces", "jobs", ["replaces"])
    op.create_index("ix_transfers_destination", "transfers", ["destination"])
    op.create_index("arrivals_by_height", "arrivals", ["network", "height"])
    op.create_index("keys_by_path", "keys", ["path", "network"])
