"""Reads rows by many values at once, in statements of a size that every database takes.

A query is built once, since building one costs more than the database's own work: `given` stands in it for the values.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, Row, Select, bindparam

_MOST: Final = 500
_NAME: Final = "given"


def given() -> BindParameter[Any]:
    """Stand for the values in a query: `column.in_(given())`."""
    return bindparam(_NAME, expanding=True)


def among(
    connection: Connection, query: Select[Any], values: Collection[Any], **further: object
) -> Iterator[Row[Any]]:
    """Give the rows of a query for these values, each looked for once; `further` are its other parameters by name."""
    wanted = list(dict.fromkeys(values))
    for first in range(0, len(wanted), _MOST):
        yield from connection.execute(query, {_NAME: wanted[first : first + _MOST], **further})
