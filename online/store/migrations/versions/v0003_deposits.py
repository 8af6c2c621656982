"""What an opening found at customers' places; arrivals by their memo are found on one network."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKey, String

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, make the index anew, and others of what is asked for."""
    op.drop_index("arrivals_by_memo", "arrivals")
    op.create_index("arrivals_by_memo", "arrivals", ["memo", "network"])
    op.create_index("ix_arrivals_customer", "arrivals", ["customer"])
    op.create_table(
        "found_at_opening",
        Column("wallet", String(32), ForeignKey("wallets.name"), primary_key=True),
        Column("asset_code", String(64), primary_key=True),
        Column("address", String(120), primary_key=True),
        Column("units", String(40), nullable=False),
        Column("left", String(40), nullable=False),
    )
