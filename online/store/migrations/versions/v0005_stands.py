"""How far ledgers were held against the books, and the indexes by which that goes on from there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table and the indexes."""
    op.create_table(
        "stands",
        sa.Column("network", sa.String(40), primary_key=True),
        sa.Column("height", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("arrivals_of_an_entry", "arrivals", ["entry"])
    op.create_index("arrivals_of_a_transaction", "arrivals", ["tx_id"])
