"""Brings the store's tables to this program's form by the migrations beside this file.

A store that a newer program made is refused: taking it back could lose what the newer one wrote.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from shared.errors import StoreNewer


def upgrade(connection: Connection) -> None:
    """Apply the missing migrations inside the caller's transaction.

    Raises:
        StoreNewer: if the store has a form that no migration here leads to.
    """
    scripts = _scripts()
    current = MigrationContext.configure(connection).get_current_revision()
    if current == scripts.get_current_head():
        return
    if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
        raise StoreNewer(f"the store has the form {current[:20]}, which this program does not know")
    if current is not None and connection.dialect.name == "postgresql":
        # Whoever is writing ends first; who would write next waits, and then meets the newer form.
        connection.exec_driver_sql("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


@cache
def _scripts() -> ScriptDirectory:
    """Read the migrations once a process: it takes longer than opening a store that has the newest form."""
    return ScriptDirectory.from_config(_config())
