"""Single edits of a store by somebody who can write its database and has no key: each is noticed, by table and id.

A store with an order in every state is made once; every test edits a copy of it and verifies.
"""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from online.audit import compare, verify
from online.jobs.reconcile import import_signer_journal
from online.store.database import open_store
from shared.errors import JournalDamaged
from tests.online_world import EXPIRY, NOW, STATION, Desk, make_desk


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make jobs that are final (1), declined (2), dead (3), exported (4, 5), built (6) and approved (7)."""
    desk = make_desk(tmp_path_factory.mktemp("audited"))
    desk.payments(2)
    desk.answered({1: "not today"})
    desk.tick()
    desk.world.close(3)
    desk.tick()
    desk.rebalance(10, "r2")
    desk.answered()
    desk.world.loses_everything = True
    desk.tick()
    desk.world.close(EXPIRY + 1)
    desk.tick()
    desk.payments(2, "p3")
    import_signer_journal(desk.store, desk.signer.station, desk.signer.journal, NOW)
    desk.export()
    desk.rebalance(30, "r4")
    desk.build()
    desk.rebalance(40, "r5")
    assert desk.states() == ["final", "declined", "dead", "exported", "exported", "built", "approved"]
    assert verify(desk.store).problems == ()
    desk.store.close()
    return Path(desk.store.engine.url.database or "")


BLOB = "CAST(substr({0}, 1, 40) || X'7f' || substr({0}, 42) AS BLOB)"

EDITS = [
    ("orders", "UPDATE orders SET body = " + BLOB.format("body")),
    ("orders", "UPDATE orders SET sealed = " + BLOB.format("sealed")),
    ("orders", "UPDATE orders SET body = (SELECT body FROM orders WHERE idempotency_key = 'r4')"),
    ("orders", "UPDATE orders SET approved_by = 'alice' WHERE idempotency_key = 'r5'"),
    ("orders", "UPDATE orders SET approved_by = NULL WHERE idempotency_key = 'r5'"),
    ("orders", "UPDATE orders SET drafted_by = 'bob', approved_by = 'alice' WHERE idempotency_key = 'r5'"),
    ("orders", "UPDATE orders SET idempotency_key = 'r6' WHERE idempotency_key = 'r5'"),
    ("transfers", "UPDATE transfers SET units = '1' WHERE units = '40000000'"),
    ("transfers", "UPDATE transfers SET destination = source WHERE units = '40000000'"),
    ("transfers", "UPDATE transfers SET memo = 'hello' WHERE units = '30000000'"),
    ("transfers", "UPDATE transfers SET tag = 7 WHERE units = '30000000'"),
    ("jobs", "UPDATE jobs SET plan = (SELECT plan FROM jobs WHERE id = 6) WHERE id = 7"),
    ("jobs", "UPDATE jobs SET unsigned = (SELECT unsigned FROM jobs WHERE id = 5) WHERE id = 6"),
    ("jobs", "UPDATE jobs SET unsigned_sha256 = zeroblob(32) WHERE id = 6"),
    ("jobs", "UPDATE jobs SET state = 'final' WHERE id = 3"),
    ("jobs", "UPDATE jobs SET state = 'nonsense' WHERE id = 3"),
    ("jobs", "UPDATE jobs SET fee_units = '13' WHERE id = 1"),
    ("jobs", "UPDATE jobs SET expiry_height = 9999 WHERE id = 4"),
    ("jobs", "UPDATE jobs SET tx_id = (SELECT tx_id FROM jobs WHERE id = 3) WHERE id = 1"),
    ("jobs", "UPDATE jobs SET blob = " + BLOB.format("blob") + " WHERE id = 1"),
    ("jobs", "UPDATE jobs SET result = 'all is well' WHERE id = 3"),
    ("jobs", "UPDATE jobs SET result = 'because' WHERE id = 2"),
    ("jobs", "UPDATE jobs SET submitted_height = 5 WHERE id = 1"),
    ("jobs", "UPDATE jobs SET wallet = 'hot' WHERE id = 7"),
    ("jobs", "UPDATE jobs SET context = X'a0' WHERE id = 4"),
    ("jobs", "DELETE FROM job_transfers WHERE job = 7"),
    ("claims", "UPDATE claims SET active = 0 WHERE job = 4"),
    ("claims", "DELETE FROM claims WHERE job = 6"),
    ("outbox", "DELETE FROM outbox WHERE job = 1"),
    ("requests", "UPDATE requests SET sealed = (SELECT sealed FROM requests ORDER BY rowid LIMIT 1)"),
    ("requests", "UPDATE requests SET created = created + 1 WHERE digest = (SELECT min(digest) FROM requests)"),
    ("request", "UPDATE request_items SET position = 9 - position WHERE job IN (4, 5)"),
    ("request", "DELETE FROM request_items WHERE job = 5"),
    ("jobs", "DELETE FROM answers"),
    ("requests", "UPDATE answers SET sealed = " + BLOB.format("sealed")),
    ("people", "UPDATE people SET public_key = zeroblob(32) WHERE name = 'bob'"),
    ("signers", "UPDATE signers SET size = size + 1"),
    ("signers", "UPDATE signers SET root = zeroblob(32)"),
    ("signers", "UPDATE signers SET size = 0, root = zeroblob(32), checkpoint = ''"),
    ("signers", "UPDATE signers SET wanted_size = 99"),
    ("signers", "DELETE FROM signer_entries WHERE n = (SELECT max(n) FROM signer_entries)"),
    ("signers", "UPDATE signer_entries SET line = " + BLOB.format("line") + " WHERE n = 1"),
    ("assets", "INSERT INTO assets VALUES ('xrpl:local', 'USD', 2)"),
    ("wallets", "UPDATE wallets SET tier = 'warm' WHERE name = 'cold'"),
    ("keys", "UPDATE keys SET address = 'rrrrrrrrrrrrrrrrrrrrrhoLvTp' WHERE wallet = 'hot'"),
    ("entries", "UPDATE entries SET memo = 'a gift' WHERE id = 1"),
    ("entries", "UPDATE entries SET time = time + 1 WHERE id = 1"),
    ("entries", "UPDATE entries SET status = 'voided' WHERE status = 'pending'"),
    ("entries", "UPDATE entries SET job = 3 WHERE id = 1"),
    ("entries", "UPDATE lines SET account = 'own:elsewhere' WHERE account LIKE 'own:%'"),
    ("balances", "UPDATE balances SET posted = '7' WHERE account = 'wallet:hot'"),
    ("audit", "DELETE FROM audit WHERE n = (SELECT max(n) FROM audit)"),
    ("audit", "UPDATE audit SET line = " + BLOB.format("line") + " WHERE n = 3"),
]  # fmt: skip


def _edited(template: Path, folder: Path, *edits: str) -> Desk:
    path = folder / "copy.db"
    with sqlite3.connect(template) as source, sqlite3.connect(path) as copy:
        source.backup(copy)
        for edit in edits:
            assert copy.execute(edit).rowcount, "the edit changed nothing"
    return Desk(open_store(f"sqlite:///{path}", STATION), None, None)  # type: ignore[arg-type]


def test_a_copy_that_nobody_edited_is_well(template: Path, tmp_path: Path) -> None:
    assert verify(_edited(template, tmp_path).store).problems == ()


@pytest.mark.parametrize(("table", "edit"), EDITS, ids=[re.sub(r"\W+", " ", edit)[:60] for _, edit in EDITS])
def test_an_edit_of_the_database_is_noticed_by_table_and_id(
    template: Path, tmp_path: Path, table: str, edit: str
) -> None:
    problems = verify(_edited(template, tmp_path, edit).store).problems
    assert any(re.match(rf"{table}\w*( [\w :-]+)?: ", problem) for problem in problems), problems
    assert not any("\n" in problem for problem in problems)


def test_an_invented_posting_that_adds_up_is_noticed(template: Path, tmp_path: Path) -> None:
    row = "(entry, position, account, asset_network, asset_code, units)"
    invented = (
        "INSERT INTO entries (id, memo, status, time) VALUES (99, 'dividend', 'posted', 1700000000)",
        f"INSERT INTO lines {row} VALUES (99, 0, 'own:xrpl:local', 'xrpl:local', 'XRP', '-5')",
        f"INSERT INTO lines {row} VALUES (99, 1, 'fees:xrpl:local', 'xrpl:local', 'XRP', '5')",
        "UPDATE balances SET posted = CAST(CAST(posted AS INTEGER) - 5 AS TEXT) WHERE account = 'own:xrpl:local'",
        "UPDATE balances SET posted = CAST(CAST(posted AS INTEGER) + 5 AS TEXT) WHERE account = 'fees:xrpl:local'",
    )
    problems = verify(_edited(template, tmp_path, *invented).store).problems
    assert problems == ("entries 99: no line of the journal knows it",)


def test_an_altered_posting_that_still_adds_up_is_noticed(template: Path, tmp_path: Path) -> None:
    moved = (
        "UPDATE lines SET units = CAST(CAST(units AS INTEGER) + 5 AS TEXT) WHERE entry = 1 AND position = 0",
        "UPDATE lines SET units = CAST(CAST(units AS INTEGER) - 5 AS TEXT) WHERE entry = 1 AND position = 1",
        "UPDATE balances SET posted = CAST(CAST(posted AS INTEGER) + 5 AS TEXT) WHERE account = 'wallet:cold'",
        "UPDATE balances SET posted = CAST(CAST(posted AS INTEGER) - 5 AS TEXT) WHERE account = 'own:xrpl:local'",
    )
    (problem,) = verify(_edited(template, tmp_path, *moved).store).problems
    assert problem.startswith("entries 1: ")


def test_a_signers_journal_with_garbage_behind_it_is_not_compared(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.rebalance()
    desk.answered()
    for garbage in (b"x", desk.signer.journal[:50]):
        with pytest.raises(JournalDamaged):
            compare(desk.store, desk.signer.station, desk.signer.journal + garbage, {})
