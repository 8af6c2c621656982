"""Brings the store's tables to this program's form by the migrations beside this file.

A store that a newer program made is refused: taking it back could lose what the newer one wrote. So is one whose tables
have not the columns that its revision says, as those of a program between two releases have.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from online.store.tables import metadata
from shared.errors import StoreForm, StoreNewer

# Of every table its columns, in one question: asked at every opening.
_COLUMNS = {
    "sqlite": text(
        "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"
    ),
    "postgresql": text(
        "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " WHERE c.relkind = 'r' AND pg_table_is_visible(c.oid) AND a.attnum > 0 AND NOT a.attisdropped"
    ),
}


def upgrade(connection: Connection) -> None:
    """Apply the missing migrations inside the caller's transaction.

    Raises:
        StoreNewer: if the store has a form that no migration here leads to.
        StoreForm: if its tables are not of the form that it says.
    """
    _migrate(connection)
    _require_form(connection)


def _migrate(connection: Connection) -> None:
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


def _require_form(connection: Connection) -> None:
    rows = {(table, column) for table, column in connection.execute(_COLUMNS[connection.dialect.name])}
    there = {(table, column) for table, column in rows if table in metadata.tables}
    wanted = {(table.name, column.name) for table in metadata.sorted_tables for column in table.columns}
    if there != wanted:
        table, column = min(there ^ wanted)
        what = "misses" if (table, column) in wanted else "has"
        raise StoreForm(f"the store {what} {table}.{column}: its tables have not the form that it says")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


@cache
def _scripts() -> ScriptDirectory:
    """Read the migrations once a process: it takes longer than opening a store that has the newest form."""
    return ScriptDirectory.from_config(_config())
