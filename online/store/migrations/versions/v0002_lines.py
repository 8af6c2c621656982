"""Withdrawals say by which line of the journal they were accepted, and a wallet's jobs are found by their state."""

from __future__ import annotations

import base64

from alembic import op
from sqlalchemy import BigInteger, Column, Connection, text

from shared.encoding import decode
from shared.errors import BadEncoding

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_MOST_BYTES = 17 * 1024 * 1024


def upgrade() -> None:
    """Add the column and fill it from the journal; what the lines are worth is verified by whoever goes by them."""
    op.add_column("withdrawals", Column("line", BigInteger))
    op.create_index("jobs_of_a_wallet", "jobs", ["wallet", "state", "updated"])
    connection = op.get_bind()
    names = set(connection.execute(text("SELECT id FROM withdrawals")).scalars())
    if names:
        _fill(connection, names)


def _fill(connection: Connection, names: set[str]) -> None:
    there = text("UPDATE withdrawals SET line = :line WHERE id = :id")
    for number, line in connection.execute(text("SELECT n, line FROM audit ORDER BY n")).all():
        name = _accepted(line)
        if name in names:
            connection.execute(there, {"line": number, "id": name})


def _accepted(line: bytes) -> str | None:
    """Give the id that a line accepts, if it accepts one."""
    try:
        leaf = base64.urlsafe_b64decode(line.strip() + b"==")
        match decode(leaf, most_bytes=_MOST_BYTES, depth=1):
            case [bytes(raw), bytes(), bytes()]:
                match decode(raw, most_bytes=_MOST_BYTES):
                    case {"kind": "withdrawal-accepted", "body": {"withdrawal": str(name)}}:
                        return name
    except (BadEncoding, ValueError):
        pass
    return None
