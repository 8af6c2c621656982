"""What a measurement is: one row of the bench, with its peer and its aim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement. The ratio is the value over the peer's; `met` says whether an aim was reached."""

    name: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    aim: str | None = None
    met: bool | None = None

    def as_json(self) -> dict[str, Any]:
        """Give the row as an object."""
        ratio = None if not self.peer_value else round(self.value / self.peer_value, 2)
        peer_value = None if self.peer_value is None else round(self.peer_value, 2)
        return {"name": self.name, "value": round(self.value, 2), "unit": self.unit, "peer": self.peer,
                "peer_value": peer_value, "ratio": ratio, "aim": self.aim, "met": self.met}
