"""Indexes for what is asked at every turn and every acceptance, so that it costs the same however much has happened."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the indexes, and give up the one that another holds in it."""
    op.drop_index("ix_jobs_source", "jobs")
    op.create_index("jobs_of_a_source", "jobs", ["source", "state"])
    op.create_index("claims_by_name", "claims", ["name", "scope", "network"])
    op.create_index(
        "not_handed_over", "outbox", ["job"], sqlite_where=text("done IS 0"), postgresql_where=text("NOT done")
    )
    op.create_index("lines_of_an_account", "lines", ["account"])
    op.create_index("ix_places_wallet", "places", ["wallet"])
    op.create_index("ix_arrivals_order_id", "arrivals", ["order_id"])
    op.create_index("arrivals_by_memo", "arrivals", ["memo"])
    op.create_index("withdrawals_of_a_day", "withdrawals", ["wallet", "asset_code", "created"])
