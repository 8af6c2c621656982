"""What the databases report when they cannot go on, and what it means here: by their codes, never by their words.

SQLite: https://sqlite.org/rescode.html. PostgreSQL: appendix A of its manual, by SQLSTATE or its class of two letters.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from shared.errors import (
    DiskFull,
    Refusal,
    StoreBusy,
    StoreDamaged,
    StoreForm,
    StoreReadOnly,
    StoreUnreachable,
)

_Trouble = tuple[type[Refusal], str]

_WRITING: Final[_Trouble] = (StoreBusy, "another process is writing to the store")
_CHANGED: Final[_Trouble] = (StoreBusy, "another program changed the same rows")
_FULL: Final[_Trouble] = (DiskFull, "the disk has no room for the store")
_FIXED: Final[_Trouble] = (StoreReadOnly, "the store can not be written")
_FORM: Final[_Trouble] = (StoreForm, "the store's tables were given another form")
_DISK: Final[_Trouble] = (StoreUnreachable, "the disk failed under the store")
_SERVER: Final[_Trouble] = (StoreUnreachable, "the store's server can not be reached")

_CODES: Final[dict[str, _Trouble]] = {
    "SQLITE_BUSY": _WRITING,
    "SQLITE_LOCKED": _WRITING,
    "SQLITE_FULL": _FULL,
    "SQLITE_READONLY": _FIXED,
    "SQLITE_CANTOPEN": (StoreUnreachable, "the store's file can not be opened"),
    "SQLITE_CORRUPT": (StoreDamaged, "the store's file is damaged"),
    "SQLITE_NOTADB": (StoreDamaged, "the store's file is no database"),
    "SQLITE_IOERR_SHMSIZE": _FULL,  # the file beside the write-ahead log can not grow
    "SQLITE_IOERR": _DISK,
    "55P03": _WRITING,  # lock_not_available: the line of writers did not move for too long
    "40001": _CHANGED,  # serialization_failure: never among ours, who stand in line
    "40P01": _CHANGED,  # deadlock_detected: likewise
    "25P03": (StoreUnreachable, "the store's server gave up waiting for this program"),
    "25006": _FIXED,  # read_only_sql_transaction, as on a standby
    "42P01": _FORM,  # undefined_table, as where somebody changed them since the store was opened
    "42703": _FORM,  # undefined_column
    "42501": (StoreReadOnly, "the store's server does not let this user do that"),
    "53100": _FULL,
    "53300": (StoreBusy, "the store's server has no room for another connection"),
    "53": (StoreUnreachable, "the store's server is out of resources"),
    "57P": _SERVER,  # shut down, crashed, starting
    "58": _DISK,
    "08": _SERVER,
    "XX001": (StoreDamaged, "the store's tables are damaged"),
    "XX002": (StoreDamaged, "an index of the store is damaged"),
}


@contextmanager
def translated() -> Iterator[None]:
    """Turn troubles of the database into refusals; a broken constraint stays what it is, for its own query.

    Nothing is retried here: each of them has undone its transaction, and what was asked can be asked again. Only of a
    connection that broke within a COMMIT nobody can know; asking again then finds what was done.
    """
    try:
        yield
    except IntegrityError:
        raise
    except PoolExhausted:
        raise StoreBusy("every connection of this process to the store is in use") from None
    except DBAPIError as trouble:
        raise _refusal(trouble) from None


def _refusal(trouble: DBAPIError) -> Exception:
    code = getattr(trouble.orig, "sqlite_errorname", None) or getattr(trouble.orig, "sqlstate", None)
    if code is None:
        # A server that is not there, or no longer, has no code to give.
        lost = isinstance(trouble, (OperationalError, InterfaceError))
        return _SERVER[0](_SERVER[1]) if lost else trouble
    known = next((one for part, one in _CODES.items() if code.startswith(part)), None)
    return trouble if known is None else known[0](known[1])
