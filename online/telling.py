"""How what stands in the way is told: troubles, which a person must look into, apart from what passes by itself."""

from __future__ import annotations

from shared.errors import Refusal


class Passing(str):
    """What is told of something that passes by itself, as a later turn will show."""

    __slots__ = ()


def in_the_way(what: str, refusal: Refusal) -> str:
    """Say what a refusal stands in the way of, with its code; as `Passing` if it passes."""
    text = f"{what}: {refusal} [{refusal.code}]"
    return Passing(text) if refusal.passes else text
