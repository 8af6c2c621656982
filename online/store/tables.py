"""The tables of the coordinator's store, as the newest migration leaves them; a test compares the two.

Amounts are decimal texts, since no database here has 128-bit numbers: they are added up in Python and never in SQL.
Ids of orders and transfers are lower hex. States and postings are written by `jobs.moves.move` alone.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

# SQLite numbers rows only for a column that is exactly INTEGER.
_Number = BigInteger().with_variant(Integer, "sqlite")

people = Table(
    "people",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("public_key", LargeBinary, nullable=False, unique=True),
    # The number of the journal's line that made them known; without one they are nobody.
    Column("line", BigInteger),
)

signers = Table(
    "signers",
    metadata,
    Column("public_key", LargeBinary, primary_key=True),
    Column("name", String(32), nullable=False, unique=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("checkpoint", Text, nullable=False),
    Column("wanted_size", BigInteger, nullable=False),
    Column("wanted_root", LargeBinary, nullable=False),
)

signer_entries = Table(
    "signer_entries",
    metadata,
    Column("signer", LargeBinary, ForeignKey("signers.public_key"), primary_key=True),
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("line", LargeBinary, nullable=False),
)

assets = Table(
    "assets",
    metadata,
    Column("network", String(40), primary_key=True),
    Column("code", String(64), primary_key=True),
    Column("decimals", Integer, nullable=False),
)

wallets = Table(
    "wallets",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("network", String(40), nullable=False),
    Column("tier", String(4), nullable=False),
    Column("curve", String(9), nullable=False),
    Column("account", BigInteger, nullable=False),
    Column("signer", LargeBinary, ForeignKey("signers.public_key"), nullable=False),
    Column("xpub", LargeBinary, nullable=False),
    Column("form", String(16), nullable=False),
    Column("card", LargeBinary, nullable=False),
)

keys = Table(
    "keys",
    metadata,
    Column("wallet", String(32), ForeignKey("wallets.name"), primary_key=True),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("path", String(120), nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("network", String(40), nullable=False),
    Column("address", String(120), nullable=False),
    UniqueConstraint("network", "address", name="one_owner_of_an_address"),
    Index("keys_by_path", "path", "network"),
)

orders = Table(
    "orders",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("idempotency_key", String(200), nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("drafted_by", String(32), ForeignKey("people.name"), nullable=False),
    Column("approved_by", String(32), ForeignKey("people.name")),
    Column("created", BigInteger, nullable=False),
)

transfers = Table(
    "transfers",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("order_id", String(32), ForeignKey("orders.id"), nullable=False, index=True),
    Column("line", Integer, nullable=False),
    Column("source", String(120), nullable=False),
    Column("destination", String(120), nullable=False, index=True),
    Column("tag", BigInteger),
    Column("memo", Text),
    Column("asset_network", String(40), nullable=False),
    Column("asset_code", String(64), nullable=False),
    Column("units", String(40), nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("order_id", String(32), ForeignKey("orders.id"), nullable=False, index=True),
    Column("state", String(10), nullable=False),
    Column("network", String(40), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("wallet", String(32), ForeignKey("wallets.name"), nullable=False),
    Column("source", String(120), nullable=False),
    Column("plan", LargeBinary, nullable=False),
    Column("replaces", _Number, ForeignKey("jobs.id"), index=True),
    Column("decision", LargeBinary),
    Column("unsigned", LargeBinary),
    Column("unsigned_sha256", LargeBinary, index=True),
    Column("context", LargeBinary),
    Column("signing_keys", LargeBinary),
    Column("tx_id", String(130), index=True),
    Column("blob", LargeBinary),
    Column("fee_units", String(40)),
    Column("expiry_height", BigInteger),
    Column("submitted_height", BigInteger),
    Column("result", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Index("jobs_of_a_source", "source", "state"),
    Index("jobs_by_state", "state", "wallet", "updated"),
)

job_transfers = Table(
    "job_transfers",
    metadata,
    Column("job", _Number, ForeignKey("jobs.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("transfer", String(32), ForeignKey("transfers.id"), nullable=False, index=True),
)

claims = Table(
    "claims",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("network", String(40), nullable=False),
    Column("scope", String(200), nullable=False),
    Column("name", String(200), nullable=False),
    Column("job", _Number, ForeignKey("jobs.id"), nullable=False, index=True),
    Column("active", Boolean, nullable=False),
    # Held by an earlier job that this one replaces: whichever of the two happens, the other never can.
    Column("shared", Boolean, nullable=False),
    Index(
        "one_holder_of_a_claim",
        "network",
        "scope",
        "name",
        unique=True,
        sqlite_where=text("active = 1 AND shared = 0"),
        postgresql_where=text("active AND NOT shared"),
    ),
    Index("claims_by_name", "name", "scope", "network"),
)

requests = Table(
    "requests",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("signer", LargeBinary, ForeignKey("signers.public_key"), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created", BigInteger, nullable=False),
)

request_items = Table(
    "request_items",
    metadata,
    Column("request", String(64), ForeignKey("requests.digest"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("job", _Number, ForeignKey("jobs.id"), nullable=False, unique=True),
)

answers = Table(
    "answers",
    metadata,
    Column("request", String(64), ForeignKey("requests.digest"), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("job", _Number, ForeignKey("jobs.id"), nullable=False, unique=True),
    Column("action", String(20), nullable=False),
    Column("done", Boolean, nullable=False),
    Column("height", BigInteger, nullable=False),
    Column("verdict", Text, nullable=False),
    Index("not_handed_over", "job", sqlite_where=text("done IS 0"), postgresql_where=text("NOT done")),
)

entries = Table(
    "entries",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("job", _Number, ForeignKey("jobs.id"), index=True),
    Column("memo", Text, nullable=False),
    Column("status", String(7), nullable=False),
    Column("time", BigInteger, nullable=False),
    # When it was voided, if it was, and the number from which on entries came after that.
    Column("voided_at", BigInteger),
    Column("voided_before", BigInteger),
)

lines = Table(
    "lines",
    metadata,
    Column("entry", _Number, ForeignKey("entries.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("account", String(80), nullable=False),
    Column("asset_network", String(40), nullable=False),
    Column("asset_code", String(64), nullable=False),
    Column("units", String(41), nullable=False),
    Index("lines_of_an_account", "account"),
)

balances = Table(
    "balances",
    metadata,
    Column("account", String(80), primary_key=True),
    Column("asset_network", String(40), primary_key=True),
    Column("asset_code", String(64), primary_key=True),
    Column("pending", String(60), nullable=False),
    Column("posted", String(60), nullable=False),
)

customers = Table(
    "customers",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("created", BigInteger, nullable=False),
    Column("frozen", Boolean, nullable=False),
)

trades = Table(
    "trades",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("entry", _Number, ForeignKey("entries.id"), nullable=False),
    Column("time", BigInteger, nullable=False),
)

# Where a customer's money arrives. `place` is the address with its tag or memo as one text, so that it is unique.
places = Table(
    "places",
    metadata,
    Column("network", String(40), primary_key=True),
    Column("place", String(300), primary_key=True),
    Column("customer", String(64), ForeignKey("customers.id"), nullable=False),
    Column("custom", String(16), nullable=False),
    Column("wallet", String(32), ForeignKey("wallets.name"), nullable=False),
    Column("address", String(120), nullable=False),
    Column("tag", BigInteger),
    Column("memo", Text),
    # The tag or the key's number where the place was given out in its turn.
    Column("number", BigInteger),
    Column("created", BigInteger, nullable=False),
    Index("places_of_a_customer", "customer", "wallet"),
    Index("places_in_order", "wallet", "custom", "number"),
    Index("places_by_address", "address"),
)

# A wallet's opening balance of an asset, by which entry, and up to which height it holds what had arrived.
openings = Table(
    "openings",
    metadata,
    Column("wallet", String(32), ForeignKey("wallets.name"), primary_key=True),
    Column("asset_code", String(64), primary_key=True),
    Column("height", BigInteger, nullable=False),
    Column("units", String(40), nullable=False),
    Column("entry", _Number, ForeignKey("entries.id"), nullable=False),
)

# What a wallet was opened with at places of customers, which waits in suspense; `left` is what no arrival told of yet.
found_at_opening = Table(
    "found_at_opening",
    metadata,
    Column("wallet", String(32), ForeignKey("wallets.name"), primary_key=True),
    Column("asset_code", String(64), primary_key=True),
    Column("address", String(120), primary_key=True),
    Column("units", String(40), nullable=False),
    Column("left", String(40), nullable=False),
)

# What a ledger locks of what a wallet holds, as each look that was kept saw it: `entry` was the newest one then, and
# `reconciled` says that it was no opening's look.
reserves = Table(
    "reserves",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("wallet", String(32), ForeignKey("wallets.name"), nullable=False),
    Column("asset_code", String(64), nullable=False),
    Column("units", String(40), nullable=False),
    Column("height", BigInteger, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("reconciled", Boolean, nullable=False),
    Index("reserves_of_a_wallet", "wallet", "id"),
)

# What two people corrected in the books, and by which word: the difference that their entry ends.
corrections = Table(
    "corrections",
    metadata,
    Column("entry", _Number, ForeignKey("entries.id"), primary_key=True, autoincrement=False),
    Column("network", String(40), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("tx_id", String(130), nullable=False, index=True),
    Column("height", BigInteger, nullable=False),
    Column("reverses", _Number, ForeignKey("entries.id")),
    Column("sealed", LargeBinary, nullable=False),
)

# How far a ledger was held against the books: `online.ledger.stands` says what `body` has.
stands = Table(
    "stands",
    metadata,
    Column("network", String(40), primary_key=True),
    Column("height", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

# How the ledgers differed from the books at the newest look that was kept, each difference by its place there.
differences = Table(
    "differences",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(40), nullable=False),
    Column("wallet", String(32), ForeignKey("wallets.name"), nullable=False),
    Column("asset_code", String(64), nullable=False),
    Column("units", String(60), nullable=False),
    Column("tx_id", String(200), nullable=False),
)

# How far a ledger was read for money that arrived.
cursors = Table(
    "cursors",
    metadata,
    Column("network", String(40), primary_key=True),
    Column("cursor", Text, nullable=False),
    Column("height", BigInteger, nullable=False),
)

arrivals = Table(
    "arrivals",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("network", String(40), nullable=False),
    Column("key", String(200), nullable=False),
    Column("tx_id", String(130), nullable=False),
    Column("height", BigInteger, nullable=False),
    Column("wallet", String(32), ForeignKey("wallets.name"), nullable=False),
    Column("address", String(120), nullable=False),
    Column("tag", BigInteger),
    Column("memo", Text),
    Column("source", String(120), nullable=False),
    Column("source_tag", BigInteger),
    Column("asset_code", String(64), nullable=False),
    Column("units", String(40), nullable=False),
    Column("state", String(10), nullable=False),
    Column("reason", Text, nullable=False),
    Column("customer", String(64), ForeignKey("customers.id")),
    Column("entry", _Number, ForeignKey("entries.id")),
    Column("order_id", String(32), ForeignKey("orders.id"), index=True),
    Column("created", BigInteger, nullable=False),
    UniqueConstraint("network", "key", name="one_arrival_of_a_key"),
    Index("arrivals_by_memo", "memo", "network"),
    Index("arrivals_by_state", "state", "network", "height"),
    Index("arrivals_by_height", "network", "height"),
    Index("arrivals_of_a_customer", "customer", "id"),
    Index("arrivals_by_time", "created", "id"),
    Index("arrivals_of_an_entry", "entry"),
    Index("arrivals_of_a_transaction", "tx_id"),
)

# Of what arrived at a customer's own address, how much was taken from there by which job before it was credited.
sweeps = Table(
    "sweeps",
    metadata,
    Column("arrival", _Number, ForeignKey("arrivals.id"), primary_key=True),
    Column("job", _Number, ForeignKey("jobs.id"), primary_key=True, index=True),
    Column("units", String(40), nullable=False),
)

# What a reorganisation took: what an arrival was before, and by which entry which one was reversed.
taken_back = Table(
    "taken_back",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("arrival", _Number, ForeignKey("arrivals.id"), nullable=False, index=True),
    Column("state", String(10), nullable=False),
    Column("reason", Text, nullable=False),
    Column("entry", _Number, ForeignKey("entries.id")),
    Column("reverses", _Number, ForeignKey("entries.id")),
)

# Below how much of an asset a deposit is dust, as a person signed it.
least_deposits = Table(
    "least_deposits",
    metadata,
    Column("network", String(40), primary_key=True),
    Column("asset_code", String(64), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

mandates = Table(
    "mandates",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("wallet", String(32), ForeignKey("wallets.name"), nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("drafted_by", String(32), ForeignKey("people.name"), nullable=False),
    Column("approved_by", String(32), ForeignKey("people.name")),
    Column("revoked", Boolean, nullable=False),
    Column("created", BigInteger, nullable=False),
)

withdrawals = Table(
    "withdrawals",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("customer", String(64), ForeignKey("customers.id"), nullable=False),
    Column("wallet", String(32), ForeignKey("wallets.name"), nullable=False),
    Column("network", String(40), nullable=False),
    Column("asset_code", String(64), nullable=False),
    Column("units", String(40), nullable=False),
    Column("destination", String(120), nullable=False),
    Column("tag", BigInteger),
    Column("memo", Text),
    Column("state", String(10), nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("transfer", String(32), ForeignKey("transfers.id"), unique=True),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    # The number of the journal's line that accepted it; without one it is paid by nobody.
    Column("line", BigInteger),
    Index("withdrawals_by_time", "created", "id"),
    Index("withdrawals_of_a_customer", "customer", "created", "id"),
    Index("withdrawals_of_a_day", "wallet", "asset_code", "created"),
)

# Where a customer may withdraw to; without any row of a network, anywhere.
allowed = Table(
    "allowed",
    metadata,
    Column("customer", String(64), ForeignKey("customers.id"), primary_key=True),
    Column("network", String(40), primary_key=True),
    Column("place", String(300), primary_key=True),
    Column("created", BigInteger, nullable=False),
)

targets = Table(
    "targets",
    metadata,
    Column("network", String(40), primary_key=True),
    Column("holder", String(40), primary_key=True),
    Column("asset_code", String(64), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("line", LargeBinary, nullable=False),
)

# One row: where the journal above ends, so that the next line needs no reading of all.
audit_tip = Table(
    "audit_tip",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("tip", LargeBinary, nullable=False),
)
