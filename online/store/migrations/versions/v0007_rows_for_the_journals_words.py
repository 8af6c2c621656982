"""Rows for what only the journal told of the books: openings, voidings, and what ledgers locked at each look.

What there is of them is read out of the journal once; `lockgate audit verify` holds the rows against it as any others.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.encoding import decode
from shared.journal import MOST_ENTRY_BYTES

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# SQLite numbers rows only for a column that is exactly INTEGER.
_Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


class _Told:
    """What the journal tells, as rows."""

    def __init__(self) -> None:
        self.openings: dict[tuple[str, str], dict[str, Any]] = {}
        self.reserves: list[dict[str, Any]] = []
        self.voided: list[dict[str, Any]] = []
        self.newest = 0

    def take(self, time: int, kind: str, body: dict[str, Any]) -> None:
        """Take in a line."""
        for number in body.get("voided", []):
            self.voided.append({"number": number, "voided_at": time, "voided_before": self.newest + 1})
        match body.get("posted"):
            case [int(number), *_]:
                self.newest = max(self.newest, number)
        if kind == "opening":
            for code, units in body["units"].items():
                row = {"wallet": body["wallet"], "asset_code": code, "height": body["height"], "units": units}
                self.openings[body["wallet"], code] = {**row, "entry": body["posted"][0]}
        for wallet, code, units, height in body.get("reserves", []):
            row = {"wallet": wallet, "asset_code": code, "units": units, "height": height, "time": time}
            self.reserves.append({**row, "entry": self.newest, "reconciled": kind == "reconciled"})


def upgrade() -> None:
    """Make the rows anew, with what the journal tells."""
    told = _Told()
    for time, kind, body in _lines():
        told.take(time, kind, body)
    op.drop_table("openings")
    openings = op.create_table(
        "openings",
        sa.Column("wallet", sa.String(32), sa.ForeignKey("wallets.name"), primary_key=True),
        sa.Column("asset_code", sa.String(64), primary_key=True),
        sa.Column("height", sa.BigInteger, nullable=False),
        sa.Column("units", sa.String(40), nullable=False),
        sa.Column("entry", _Number, sa.ForeignKey("entries.id"), nullable=False),
    )
    op.drop_table("reserves")
    reserves = op.create_table(
        "reserves",
        sa.Column("id", _Number, primary_key=True),
        sa.Column("wallet", sa.String(32), sa.ForeignKey("wallets.name"), nullable=False),
        sa.Column("asset_code", sa.String(64), nullable=False),
        sa.Column("units", sa.String(40), nullable=False),
        sa.Column("height", sa.BigInteger, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("entry", sa.BigInteger, nullable=False),
        sa.Column("reconciled", sa.Boolean, nullable=False),
    )
    op.create_index("reserves_of_a_wallet", "reserves", ["wallet", "id"])
    op.add_column("entries", sa.Column("voided_at", sa.BigInteger))
    op.add_column("entries", sa.Column("voided_before", sa.BigInteger))
    op.bulk_insert(openings, list(told.openings.values()))
    op.bulk_insert(reserves, told.reserves)
    if told.voided:
        entries = sa.table("entries", *(sa.column(name) for name in ("id", "voided_at", "voided_before")))
        op.get_bind().execute(entries.update().where(entries.c.id == sa.bindparam("number")), told.voided)


def _lines() -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Give time, kind and body of each line of the journal."""
    lines = op.get_bind().execute(sa.text("SELECT line FROM audit ORDER BY n")).scalars()
    for line in lines:
        bare = bytes(line).strip()
        parts: Any = decode(base64.urlsafe_b64decode(bare + b"=" * (-len(bare) % 4)), most_bytes=MOST_ENTRY_BYTES)
        said: Any = decode(parts[0], most_bytes=MOST_ENTRY_BYTES)
        yield said["time"], said["kind"], said["body"]
