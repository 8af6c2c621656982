"""Words that hold a seed (BIP39, English, by the `mnemonic` library), and dice that help to make one.

Words and entropy are secrets: a refusal names a word by its place and never by its letters.
"""

from __future__ import annotations

import functools
import hmac
from typing import Final

from mnemonic import Mnemonic

from shared.encoding import encode
from shared.errors import BadDice, BadWords

_SIZES: Final = (16, 20, 24, 28, 32)


def words_from_entropy(entropy: bytes) -> str:
    """Write 16 to 32 bytes of entropy as 12 to 24 words.

    Raises:
        BadWords: for another number of bytes.
    """
    if len(entropy) not in _SIZES:
        raise BadWords("entropy has 16, 20, 24, 28 or 32 bytes")
    return str(_english().to_mnemonic(entropy))


def entropy_from_words(words: str) -> bytes:
    """Read words; only the blanks between them are free.

    Raises:
        BadWords: for a wrong number of words, a word that is not in the list, or a wrong checksum.
    """
    split = words.split()
    if len(split) not in (12, 15, 18, 21, 24):
        raise BadWords(f"{len(split)} words are not 12, 15, 18, 21 or 24")
    for place, word in enumerate(split, 1):
        if word not in _places():
            raise BadWords(f"word {place} is not in the list")
    try:
        return bytes(_english().to_entropy(split))
    except ValueError:
        raise BadWords("the words do not belong together: one is wrong, or their order is") from None


def seed_from_words(words: str, passphrase: str = "") -> bytes:
    """Give the 64-byte seed of words that hold together.

    Raises:
        BadWords: as `entropy_from_words`.
    """
    entropy_from_words(words)
    return bytes(Mnemonic.to_seed(" ".join(words.split()), passphrase))


def mix_entropy(system: bytes, dice: str) -> bytes:
    """Mix the system's randomness with dice, so that neither alone decides; as long as the system's.

    HKDF with SHA-256 (RFC 5869): the input is the strict encoding of [system, dice], the salt is "lockgate
    entropy 1", no info, one block of output. Anybody can compute it again from both.

    Raises:
        BadDice: for rolls other than the digits 1 to 6.
    """
    if not 16 <= len(system) <= 32:
        raise ValueError("the system gives 16 to 32 bytes")
    if not set(dice) <= set("123456"):
        raise BadDice("rolls are the digits 1 to 6")
    extracted = hmac.digest(b"lockgate entropy 1", encode([system, dice]), "sha256")
    return hmac.digest(extracted, b"\1", "sha256")[: len(system)]


@functools.cache
def _english() -> Mnemonic:
    return Mnemonic("english")


@functools.cache
def _places() -> frozenset[str]:
    return frozenset(_english().wordlist)
