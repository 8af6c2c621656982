"""What two people corrected in the books."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# SQLite numbers rows only for a column that is exactly INTEGER.
_Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "corrections",
        sa.Column("entry", _Number, sa.ForeignKey("entries.id"), primary_key=True, autoincrement=False),
        sa.Column("network", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("tx_id", sa.String(130), nullable=False, index=True),
        sa.Column("height", sa.BigInteger, nullable=False),
        sa.Column("reverses", _Number, sa.ForeignKey("entries.id")),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
