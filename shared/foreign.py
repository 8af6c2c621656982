"""What passes between Lockgate and wallets of other makers, named: the network, a stated height, and the bytes.

Such bytes carry nobody's seal and name no network. The document written here is what is kept of them, and its digest
is what people approve and both machines show; nothing signs it.
"""

from __future__ import annotations

from typing import Final

from shared.encoding import Fields, decode, encode
from shared.errors import BadField
from shared.sealed import MAGIC, digest

DOCUMENT: Final = "foreign/1"
"""The kind of the document: a sealed one that nobody has signed, so that no reader of sealed ones takes it."""


def foreign_document(network: str, height: int | None, contents: bytes) -> tuple[bytes, bytes]:
    """Give the document of another wallet's bytes on a network, and its digest (32 bytes)."""
    body = encode({"network": network, "height": height, "contents": contents})
    return encode([MAGIC, DOCUMENT, body, []]), digest(DOCUMENT, body)


def read_foreign_document(document: bytes) -> tuple[str, bytes, bytes]:
    """Read what `foreign_document` wrote: the network, the other wallet's bytes, and the digest.

    Raises:
        BadEncoding, BadField: for anything else.
    """
    match decode(document, depth=3):
        case [str(magic), str(kind), bytes(body), []] if (magic, kind) == (MAGIC, DOCUMENT):
            fields = Fields(decode(body), "another wallet's bytes")
        case _:
            raise BadField("it is not what another maker's wallet asked for")
    network, contents, height = fields.text("network", most=40), fields.bytes("contents"), fields.value("height")
    fields.close()
    if foreign_document(network, height if isinstance(height, int) else None, contents)[0] != document:
        raise BadField("it is not written in its one form")
    return network, contents, digest(DOCUMENT, body)
