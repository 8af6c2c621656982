"""What a measurement is: one row of the bench, with its peer and its aim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement. The ratio is the value over the peer's; `met` says whether an aim was reached.

    `left_out` says why nothing was measured; the value is then None.
    """

    name: str
    value: float | None
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    aim: str | None = None
    met: bool | None = None
    left_out: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Give the row as an object."""
        ratio = None if self.value is None or not self.peer_value else round(self.value / self.peer_value, 2)
        peer_value = None if self.peer_value is None else round(self.peer_value, 2)
        value = None if self.value is None else round(self.value, 2)
        return {"name": self.name, "value": value, "unit": self.unit, "peer": self.peer, "peer_value": peer_value,
                "ratio": ratio, "aim": self.aim, "met": self.met, "left_out": self.left_out}
