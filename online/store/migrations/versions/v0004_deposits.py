"""What an opening found at customers' places, the order in which places are given out, senders' tags, and indexes."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, String, text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_KEY_NUMBERS = """
    UPDATE places SET number = (
        SELECT idx FROM keys WHERE keys.network = places.network AND keys.address = places.address
    ) WHERE custom = 'address'
"""
_TAGS = "SELECT wallet, count(*) FROM places WHERE custom = 'tag' GROUP BY wallet"
# Which tags were picked by hand is not told: those beyond the number of all tags of a wallet were.
_TAG_NUMBERS = text("UPDATE places SET number = tag WHERE wallet = :wallet AND custom = 'tag' AND tag <= :count")


def upgrade() -> None:
    """Add the table, the columns and the indexes; in places as they are, the order is what it must have been."""
    op.drop_index("arrivals_by_memo", "arrivals")
    op.create_index("arrivals_by_memo", "arrivals", ["memo", "network"])
    op.add_column("arrivals", Column("source_tag", BigInteger))
    op.create_index("arrivals_of_a_customer", "arrivals", ["customer", "id"])
    op.create_index("arrivals_by_time", "arrivals", ["created", "id"])
    op.drop_index("ix_withdrawals_customer", "withdrawals")
    op.create_index("withdrawals_of_a_customer", "withdrawals", ["customer", "created", "id"])
    op.create_index("withdrawals_by_time", "withdrawals", ["created", "id"])
    op.create_table(
        "found_at_opening",
        Column("wallet", String(32), ForeignKey("wallets.name"), primary_key=True),
        Column("asset_code", String(64), primary_key=True),
        Column("address", String(120), primary_key=True),
        Column("units", String(40), nullable=False),
        Column("left", String(40), nullable=False),
    )
    op.add_column("places", Column("number", BigInteger))
    op.execute(_KEY_NUMBERS)
    store = op.get_bind()
    for wallet, count in store.execute(text(_TAGS)).all():
        store.execute(_TAG_NUMBERS, {"wallet": wallet, "count": count})
    op.drop_index("ix_places_customer", "places")
    op.drop_index("ix_places_wallet", "places")
    op.create_index("places_of_a_customer", "places", ["customer", "wallet"])
    op.create_index("places_in_order", "places", ["wallet", "custom", "number"])
    op.create_index("places_by_address", "places", ["address"])
