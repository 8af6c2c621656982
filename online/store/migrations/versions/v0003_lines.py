"""Withdrawals and people say by which line of the journal they are known; a wallet's jobs are found by their state."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from alembic import op
from sqlalchemy import BigInteger, Column, text

from shared.encoding import Value, decode
from shared.errors import BadEncoding

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_MOST_BYTES = 17 * 1024 * 1024


def upgrade() -> None:
    """Add the columns and fill them from the journal; what the lines are worth is verified by whoever goes by them."""
    op.add_column("withdrawals", Column("line", BigInteger))
    op.add_column("people", Column("line", BigInteger))
    op.drop_index("ix_jobs_state", "jobs")
    op.create_index("jobs_by_state", "jobs", ["state", "wallet", "updated"])
    connection = op.get_bind()
    for number, line in connection.execute(text("SELECT n, line FROM audit ORDER BY n")).all():
        match _entry(line):
            case {"kind": "withdrawal-accepted", "body": {"withdrawal": str(name)}}:
                here = text("UPDATE withdrawals SET line = :line WHERE id = :name")
            case {"kind": "person", "body": {"name": str(name)}}:
                here = text("UPDATE people SET line = :line WHERE name = :name")
            case _:
                continue
        connection.execute(here, {"line": number, "name": name})


def _entry(line: bytes) -> Mapping[str, Value]:
    """Give an entry as its line says it, unverified; nothing where it says nothing."""
    try:
        match decode(base64.urlsafe_b64decode(line.strip() + b"=="), most_bytes=_MOST_BYTES, depth=1):
            case [bytes(raw), bytes(), bytes()]:
                found = decode(raw, most_bytes=_MOST_BYTES)
                return found if isinstance(found, dict) else {}
    except (BadEncoding, ValueError):
        pass
    return {}
