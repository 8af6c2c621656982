"""The lines of an order as a command gets them: from its options, from a file, or from both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import BadLines

if TYPE_CHECKING:
    from online.orders.writing import Wanted
    from online.store.database import Store


def wanted_lines(store: Store, network: str, given: Sequence[tuple[str, str]], file: Path | None) -> list[Wanted]:
    """Give the lines: native amounts from options, then those of the file. Raises BadLines and as `orders.lines`."""
    from online.orders.lines import read_lines, wanted_line
    from online.store.assets import finder
    from shared.chains import chain
    from shared.transport.media import read_file

    native = chain(network).network(network).native
    lines = [wanted_line(destination, amount, native) for destination, amount in given]
    if file is not None:
        try:
            text = read_file(file).decode()
        except UnicodeDecodeError:
            raise BadLines(f"{file} is no UTF-8 text") from None
        with store.reading() as connection:
            lines += read_lines(text, network, finder(connection))
    return lines
