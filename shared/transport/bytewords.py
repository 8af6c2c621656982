"""Bytewords (BCR-2020-012): bytes as words of four letters, the last four words being their CRC-32.

The checksum finds damage and proves nothing about who wrote the bytes. One text for each byte string and style:
the decoder refuses other letter cases, separators, unknown words and texts without contents.
"""

from __future__ import annotations

from enum import Enum
from typing import Final
from zlib import crc32

from shared.errors import BadUr


class Style(Enum):
    """How the words are written down: parted by this, or as first and last letters alone."""

    STANDARD = " "
    URI = "-"
    MINIMAL = ""


CHECKSUM_BYTES: Final = 4

# The value of a word is its place; the list is the format's own, in the order of October 2020.
_LIST: Final = """
    able acid also apex aqua arch atom aunt away axis back bald barn belt beta bias
    blue body brag brew bulb buzz calm cash cats chef city claw code cola cook cost
    crux curl cusp cyan dark data days deli dice diet door down draw drop drum dull
    duty each easy echo edge epic even exam exit eyes fact fair fern figs film fish
    fizz flap flew flux foxy free frog fuel fund gala game gear gems gift girl glow
    good gray grim guru gush gyro half hang hard hawk heat help high hill holy hope
    horn huts iced idea idle inch inky into iris iron item jade jazz join jolt jowl
    judo jugs jump junk jury keep keno kept keys kick kiln king kite kiwi knob lamb
    lava lazy leaf legs liar limp lion list logo loud love luau luck lung main many
    math maze memo menu meow mild mint miss monk nail navy need news next noon note
    numb obey oboe omit onyx open oval owls paid part peck play plus poem pool pose
    puff puma purr quad quiz race ramp real redo rich road rock roof ruby ruin runs
    rust safe saga scar sets silk skew slot soap solo song stub surf swan taco task
    taxi tent tied time tiny toil tomb toys trip tuna twin ugly undo unit urge user
    vast very veto vial vibe view visa void vows wall wand warm wasp wave waxy webs
    what when whiz wolf work yank yawn yell yoga yurt zaps zero zest zinc zone zoom
"""
_WORDS: Final = tuple(_LIST.split())
_PAIRS: Final = tuple(word[0] + word[-1] for word in _WORDS)
_OF_WORD: Final = {word: value for value, word in enumerate(_WORDS)}
_OF_PAIR: Final = {pair: value for value, pair in enumerate(_PAIRS)}


def encode(plain: bytes, style: Style = Style.MINIMAL) -> str:
    """Write bytes and their checksum."""
    words = _PAIRS if style is Style.MINIMAL else _WORDS
    return style.value.join(words[byte] for byte in plain + checksum(plain))


def decode(text: str, style: Style = Style.MINIMAL) -> bytes:
    """Read bytes whose checksum is right.

    Raises:
        BadUr: for anything else.
    """
    if style is Style.MINIMAL:
        found, values = [text[at : at + 2] for at in range(0, len(text), 2)], _OF_PAIR
    else:
        found, values = text.split(style.value), _OF_WORD
    try:
        summed = bytes(values[word] for word in found)
    except KeyError:
        raise BadUr("a word that is none of the bytewords") from None
    plain = summed[:-CHECKSUM_BYTES]
    if not plain:
        raise BadUr("bytewords without contents")
    if summed[-CHECKSUM_BYTES:] != checksum(plain):
        raise BadUr("the checksum of the bytewords is wrong")
    return plain


def checksum(plain: bytes) -> bytes:
    """Give the CRC-32 of bytes, most significant byte first."""
    return crc32(plain).to_bytes(CHECKSUM_BYTES, "big")
