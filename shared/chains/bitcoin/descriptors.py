"""Output descriptors (BIP380, BIP381, BIP386, BIP389): how other wallets are told what to watch, with their checksum.

Only the wallets of one key that Lockgate has are written and read: `wpkh` and `tr` over an account's extended key, with
its origin, and the branches 0 (received) and 1 (change).
"""

from __future__ import annotations

import re
from typing import Final

from shared.chains.api import Descriptor, KeyPath, NetworkClass, Watchable
from shared.chains.bitcoin.networks import FORMS, network
from shared.errors import BadKey, ForeignDescriptor
from shared.hdkeys import HARDENED, PublicNode
from shared.xkeys import parse_xpub, print_xpub

_FUNCTIONS: Final = {"p2wpkh": "wpkh", "p2tr": "tr"}
_FORM_OF: Final = {function: form for form, function in _FUNCTIONS.items()}
_MOST_TEXT: Final = 400
_NUMBER: Final = "(?:0|[1-9][0-9]{0,9})"
_TEXT: Final = re.compile(
    r"(?P<function>wpkh|tr)\("
    rf"\[(?P<fingerprint>[0-9a-f]{{8}})/(?P<path>{_NUMBER}[h']/{_NUMBER}[h']/{_NUMBER})[h']\]"
    r"(?P<xpub>[1-9A-HJ-NP-Za-km-z]{100,120})/(?:<0;1>|0)/\*\)",
    re.ASCII,
)

# BIP380: the letters that a descriptor has, in groups of 32, and those of its checksum (bech32's).
_INPUT: Final = (
    "0123456789()[],'/*abcdefgh@:$%{}"
    "IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~"
    'ijklmnopqrstuvwxyzABCDEFGH`#"\\ '
)
_CHECKSUM: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR: Final = (0xF5DEE51989, 0xA9FDCA3312, 0x1BAB10E32D, 0x3706B1677A, 0x644D626FFD)


def describe(
    network_name: str, form: str, fingerprint: bytes, path: KeyPath, account: PublicNode
) -> Descriptor:
    """Describe a wallet: "wpkh([fingerprint/84h/0h/0h]xpub.../<0;1>/*)#checksum", and each branch by itself.

    Raises:
        UnknownChain: for a name that is no network.
    """
    steps = "".join(f"/{step - HARDENED}h" for step in path)
    xpub = print_xpub(account, network(network_name).network_class)
    key = f"[{fingerprint.hex()}{steps}]{xpub}"
    return Descriptor(*(_checked(f"{_FUNCTIONS[form]}({key}/{branch}/*)") for branch in ("<0;1>", "0", "1")))


def parse(text: str, network_name: str) -> Watchable:
    """Read the descriptor of a device's wallet, of both branches or of what it receives.

    Raises:
        ForeignDescriptor: for another form, a missing or wrong checksum, another network class, an account elsewhere
            than BIP84 or BIP86 have it, or an extended key that does not stand where its origin says.
        UnknownChain: for a name that is no network.
    """
    body, _, check = text.strip().partition("#")
    found = _TEXT.fullmatch(body)
    if found is None or len(text) > _MOST_TEXT:
        raise ForeignDescriptor("not a descriptor as wpkh([fingerprint/84h/0h/0h]xpub/<0;1>/*) or tr(...)")
    if check != checksum(body):
        raise ForeignDescriptor("the descriptor's checksum is missing or wrong")
    form = _FORM_OF[found["function"]]
    class_ = network(network_name).network_class
    path = tuple(int(step) + HARDENED for step in found["path"].replace("'", "h").split("h/"))
    if path[:2] != (FORMS[form] + HARDENED, HARDENED + (class_ == "test")) or path[2] >= 2**32:
        raise ForeignDescriptor(f"on {network_name} the account of {form} stands at {_where(form, class_)}")
    try:
        account = parse_xpub(found["xpub"], class_)
    except BadKey as refusal:
        raise ForeignDescriptor(f"the descriptor's extended key: {refusal}") from None
    if (account.depth, account.number) != (len(path), path[-1]):
        raise ForeignDescriptor("the extended key does not stand where the descriptor says that it comes from")
    return Watchable(form, bytes.fromhex(found["fingerprint"]), path, account)


def checksum(text: str) -> str:
    """Give the eight letters that guard a descriptor (BIP380).

    Raises:
        ValueError: for a letter that no descriptor has.
    """
    check, group, count = 1, 0, 0
    for letter in text:
        place = _INPUT.index(letter)
        check = _step(check, place & 31)
        group, count = group * 3 + (place >> 5), count + 1
        if count == 3:
            check, group, count = _step(check, group), 0, 0
    if count:
        check = _step(check, group)
    for _ in range(8):
        check = _step(check, 0)
    check ^= 1
    return "".join(_CHECKSUM[check >> 5 * (7 - place) & 31] for place in range(8))


def _where(form: str, class_: NetworkClass) -> str:
    return f"m/{FORMS[form]}h/{int(class_ == 'test')}h/..."


def _step(check: int, value: int) -> int:
    top = check >> 35
    check = (check & 0x7FFFFFFFF) << 5 ^ value
    for place, number in enumerate(_GENERATOR):
        if top >> place & 1:
            check ^= number
    return check


def _checked(text: str) -> str:
    return f"{text}#{checksum(text)}"
