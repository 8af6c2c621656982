"""The policy as administrators write, read and sign it: one TOML text.

The text itself is sealed, so that what they sign is what they read. Every field is known and checked; amounts are texts
of whole coins, never TOML's floats.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from shared import chains
from shared.chains.api import NetworkClass
from shared.encoding import Fields, decode, encode
from shared.errors import BadPolicy, Refusal
from shared.money import Asset, parse_amount
from shared.people import check_name, parse_person
from shared.policy import FOREIGN, Limits, OwnWallet, Person, Place, Policy, Rule, TagRule
from shared.sealed import Sealed, Sign, add_signature, open_sealed, require_quorum, seal

POLICY: Final = "policy/1"
MOST_TEXT: Final = 200_000
MOST_NUMBER: Final = 2**48

_SPANS: Final = ("transfer", "request", "day", "epoch")
_TAG: Final = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)


def seal_policy(text: str, key: bytes, sign: Sign) -> bytes:
    """Check a policy's text and begin its sealed document with a first administrator's signature."""
    parse_policy(text)
    return seal(POLICY, encode({"text": text}), [(key, sign)])


def sign_policy(sealed: bytes, key: bytes, sign: Sign) -> bytes:
    """Add an administrator's signature to a sealed policy."""
    read_policy(sealed)
    return add_signature(sealed, POLICY, key, sign)


def read_policy(sealed: bytes) -> tuple[Policy, str, Sealed]:
    """Read a sealed policy and its text; whether its signers suffice is `open_policy`'s question."""
    opened = open_sealed(sealed, POLICY)
    fields = Fields(decode(opened.body), "policy")
    text = fields.text("text", most=MOST_TEXT)
    fields.close()
    return parse_policy(text), text, opened


def open_policy(sealed: bytes, administrators: Sequence[bytes], quorum: int) -> Policy:
    """Read a sealed policy that a quorum of the present administrators (Ed25519 keys) signed.

    Raises:
        BadPolicy, BadSeal, QuorumMissing: for anything else.
    """
    policy, _, opened = read_policy(sealed)
    require_quorum(opened, administrators, quorum)
    return policy


def parse_policy(text: str) -> Policy:
    """Read a policy's text.

    Raises:
        BadPolicy: for what is not TOML, unknown or missing fields, and contradictions.
    """
    try:
        return _policy(_Table(_toml(text), "policy"))
    except BadPolicy:
        raise
    except Refusal as refusal:
        raise BadPolicy(f"the policy: {refusal}", hint=refusal.hint) from None


def _toml(text: str) -> dict[str, Any]:
    if len(text) > MOST_TEXT:
        raise BadPolicy(f"the policy has more than {MOST_TEXT} characters")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # numbers of 5,000 digits and deep arrays are no TOMLDecodeError
        raise BadPolicy(f"the policy is not TOML: {error}") from None


class _Table:
    """One TOML table whose fields are taken one by one; `close` refuses what nobody took."""

    def __init__(self, table: Any, what: str) -> None:
        if not isinstance(table, dict):
            raise BadPolicy(f"{what} is not a table")
        self._rest: dict[str, Any] = dict(table)
        self._what = what

    def take(self, name: str, kind: type, default: Any = None) -> Any:
        value = self._rest.pop(name, default)
        if type(value) is not kind:
            why = "is missing" if value is None else f"is no {_KINDS[kind]}"
            raise BadPolicy(f"{self._what}: {name!r} {why}")
        return value

    def text(self, name: str) -> str:
        return str(self.take(name, str))

    def number(self, name: str, default: int | None = None) -> int:
        number = int(self.take(name, int, default))
        if not 0 <= number <= MOST_NUMBER:
            raise BadPolicy(f"{self._what}: {name!r} is negative or too large")
        return number

    def texts(self, name: str, default: list[str] | None = None) -> list[str]:
        values = self.take(name, list, default)
        if not all(isinstance(value, str) for value in values):
            raise BadPolicy(f"{self._what}: {name!r} holds something that is no text")
        _unique(values, f"{self._what}: {name!r}: an entry")
        return list(values)

    def table(self, name: str, default: dict[str, Any] | None = None) -> _Table:
        return _Table(self._rest.pop(name, default), f"{self._what}, {name}")

    def tables(self, name: str, default: list[Any] | None = None) -> list[_Table]:
        found = self.take(name, list, default)
        return [_Table(one, f"{self._what}, {name} {place}") for place, one in enumerate(found, 1)]

    def optional_number(self, name: str) -> int | None:
        return self.number(name) if name in self._rest else None

    def rest(self) -> dict[str, Any]:
        taken, self._rest = self._rest, {}
        return taken

    def close(self) -> None:
        if self._rest:
            raise BadPolicy(f"{self._what}: unknown field {min(self._rest)[:40]!r}")


_KINDS: Final = {str: "text", int: "whole number", list: "list", bool: "true or false"}


def _policy(table: _Table) -> Policy:
    administrators = table.table("administrators")
    wallets = tuple(_wallet(one) for one in table.tables("wallet"))
    _unique([wallet.name for wallet in wallets], "a wallet")
    names, assets = {wallet.name: wallet for wallet in wallets}, _assets(table.tables("asset", []))
    policy = Policy(
        epoch=table.number("epoch"),
        network_class=_class(table.text("network_class")),
        administrators=_people(administrators.texts("people")),
        administrators_quorum=administrators.number("quorum"),
        approvers=_people(table.texts("approvers")),
        stations=_people(table.texts("stations")),
        wallets=wallets,
        rules=tuple(_rule(one, names, assets) for one in table.tables("rule")),
        signing_keys=frozenset(table.texts("signing_keys", [])),
        clock_jump_most=table.number("clock_jump_seconds"),
        assets=assets,
    )
    administrators.close()
    table.close()
    return _checked(policy)


def _wallet(table: _Table) -> OwnWallet:
    network = table.text("network")
    places = tuple(_place(text, network) for text in table.texts("places"))
    wallet = OwnWallet(check_name(table.text("name")), network, table.text("tier"), places)
    table.close()
    return wallet


def _assets(tables: Sequence[_Table]) -> dict[str, dict[str, int]]:
    """Read the register of assets beside the native ones."""
    register: dict[str, dict[str, int]] = {}
    for table in tables:
        network, code, decimals = table.text("network"), table.text("code"), table.number("decimals")
        table.close()
        native = chains.chain(network).network(network).native
        if not 0 < len(code) <= 80 or decimals > 24 or code == native.code or code in register.get(network, {}):
            raise BadPolicy(f"the asset {code[:40]!r} has no good code or decimals, or stands twice")
        register.setdefault(network, {})[code] = decimals
    return register


def _rule(table: _Table, wallets: Mapping[str, OwnWallet], register: Mapping[str, Mapping[str, int]]) -> Rule:
    name = table.text("wallet")
    if name not in wallets:
        raise BadPolicy(f"a rule names the wallet {name[:40]!r}, which the policy does not have")
    network = wallets[name].network
    native = chains.chain(network).network(network).native
    assets = {native.code: native}
    assets |= {code: Asset(network, code, decimals) for code, decimals in register.get(network, {}).items()}
    rule = Rule(
        wallet=name,
        kinds=frozenset(table.texts("kinds")),
        to_wallets=frozenset(table.texts("to_wallets", [])),
        to_places=tuple(_place(text, network) for text in table.texts("to_places", [])),
        limits=_limits(table.table("limits"), network, assets),
        any_limits=_limits(table.table("any_limits", {}), network, assets),
        fee_most=parse_amount(table.text("fee_most"), native).units,
        free_most=table.number("transactions_without_payment"),
        expiry_most=table.optional_number("expiry_most"),
        approvals=table.number("approvals"),
        automatic=bool(table.take("automatic", bool, default=False)),
        fee_rate_most=table.optional_number("fee_rate_most"),
        accepts=frozenset(table.texts("accepts", [])),
    )
    table.close()
    for other in sorted(rule.to_wallets):
        if other not in wallets or wallets[other].network != network:
            raise BadPolicy(f"the rule of {name!r} names {other[:40]!r}, which is no wallet on {network}")
    return rule


def _limits(table: _Table, network: str, assets: Mapping[str, Asset]) -> dict[str, Limits]:
    limits: dict[str, Limits] = {}
    for code, one in table.rest().items():
        if code not in assets:
            raise BadPolicy(f"limits for {code[:40]!r}, which is no asset of {network}")
        spans = _Table(one, f"limits of {code}")
        units = {span: parse_amount(spans.text(span), assets[code]).units for span in _SPANS}
        spans.close()
        limits[code] = Limits(**units)
    return limits


def _place(text: str, network: str) -> Place:
    """Read "ADDRESS", "ADDRESS tag 7", "ADDRESS tag required" or "ADDRESS tag any"; without a word, no tag is right."""
    address, found, word = text.partition(" tag ")
    destination = chains.chain(network).parse_address(address, network)
    if destination.address != address or destination.tag is not None:
        raise BadPolicy(f"write {address[:60]!r} as a plain address with its tag behind it")
    return Place(address, _tag(word) if found else "none")


def _tag(word: str) -> TagRule:
    if word == "any":
        return "any"
    if word == "required":
        return "required"
    if _TAG.fullmatch(word) is None or int(word) >= 2**32:
        raise BadPolicy(f"not a tag rule: {word[:40]!r}", hint="Write a number, `any`, or `required` behind `tag`.")
    return int(word)


def _people(lines: Sequence[str]) -> tuple[Person, ...]:
    return tuple(parse_person(line) for line in lines)


def _class(text: str) -> NetworkClass:
    if text == "main":
        return "main"
    if text == "test":
        return "test"
    raise BadPolicy('network_class is "main" or "test"')


def _checked(policy: Policy) -> Policy:
    """Refuse a policy that contradicts itself."""
    _check_people(policy)
    if policy.epoch < 1:
        raise BadPolicy("epochs count from 1")
    _unique([wallet.network + place.address for wallet in policy.wallets for place in wallet.places], "an address")
    for wallet in policy.wallets:
        if wallet.tier not in ("hot", "warm", "cold"):
            raise BadPolicy(f"wallet {wallet.name} is hot, warm or cold")
        if chains.chain(wallet.network).network(wallet.network).network_class != policy.network_class:
            raise BadPolicy(f"wallet {wallet.name} is not on a {policy.network_class} network")
    _unique([rule.wallet for rule in policy.rules], "a rule")
    for rule in policy.rules:
        _check_rule(rule, len(policy.approvers))
    return policy


def _check_people(policy: Policy) -> None:
    for people in (policy.administrators, policy.approvers, policy.stations):
        _unique([person.name for person in people], "a name")
        _unique([person.key.hex() for person in people], "a key")
    if not 1 <= policy.administrators_quorum <= len(policy.administrators):
        raise BadPolicy("the administrators' quorum is at least one and at most their number")
    stations = {station.key for station in policy.stations}
    for person in (*policy.administrators, *policy.approvers):
        if person.key in stations:  # a coordinator would approve what it asks for
            raise BadPolicy(f"the key of {person.name} is a station's key too")


def _check_rule(rule: Rule, approvers: int) -> None:
    if rule.automatic and rule.approvals:
        raise BadPolicy(f"the rule of {rule.wallet} is automatic and asks for approvals")
    if not rule.automatic and not 1 <= rule.approvals <= approvers:
        raise BadPolicy(f"the rule of {rule.wallet} asks for {rule.approvals} of {approvers} approvers")
    if rule.automatic and any(kind.startswith(FOREIGN) for kind in rule.kinds):
        raise BadPolicy(f"the rule of {rule.wallet} is automatic for {FOREIGN}… kinds, which nobody of ours asks for")
    for code, narrow in rule.any_limits.items():
        wide = rule.limits.get(code)
        if wide is None or any(getattr(narrow, span) > getattr(wide, span) for span in _SPANS):
            raise BadPolicy(f"the rule of {rule.wallet}: any_limits for {code} are wider than its limits")


def _unique(names: Sequence[str], what: str) -> None:
    if len(set(names)) != len(names):
        raise BadPolicy(f"{what} stands twice in the policy")
