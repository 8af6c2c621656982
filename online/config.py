"""The coordinator's data folder and its config.toml: where the store and the nodes are.

The folder holds config.toml, station.key (the station's key file), people/NAME.key (people's key files), and
lockgate.db (the store, unless [store] names another). The settings never hold a secret.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from online.chains import connect, customs
from online.treasury.settings import PREFIX, Settings, read_settings
from shared import chains
from shared.chains.api import NetworkClass
from shared.errors import AlreadySetUp, BadConfig, FileTrouble, NoSuchOrder, NotSetUp
from shared.money import Amount, parse_amount

if TYPE_CHECKING:
    from online.chains.api import Gateway

DEFAULT_HOME: Final = "lockgate-data"
DEFAULT_URL: Final = "http://127.0.0.1:5005"

_TEXT = """\
# The coordinator's settings. Secrets never stand here.
name = "{name}"
network_class = "{network_class}"

[store]
url = "sqlite:///lockgate.db"  # a relative path begins at this folder; PostgreSQL by its URL

[{chain}]
network = "{network}"
url = "{url}"
# second_url = "https://..."   # an independently run node that must agree
# second_above = {{ {native} = "1000" }}  # above this sum it must tell of deposits too before they are credited
{more}"""

_PRIME: Final = "prime_"
_PRIME_PLAIN: Final = "prime_least"
_PRIME_MEMO: Final = "prime_least_memo"


@dataclass(frozen=True, slots=True)
class Config:
    """What config.toml says: the station's name, the class of networks, the store, a section a chain.

    `spools` are the folders of the signers, by name, that are fed through one. A URL may hold a password, which works
    and is never shown.
    """

    home: Path
    name: str
    network_class: NetworkClass
    store_url: str = field(repr=False)
    networks: Mapping[str, Mapping[str, Any]] = field(repr=False)
    spools: Mapping[str, Path] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """Where the settings are."""
        return self.home / "config.toml"

    @property
    def holds_password(self) -> bool:
        """Say whether a URL in the settings has a password."""
        given = [value for section in self.networks.values() for value in section.values() if isinstance(value, str)]
        return any(_has_password(one) for one in (self.store_url, *given))

    @property
    def station_file(self) -> Path:
        """Where the station's key file is."""
        return self.home / "station.key"

    def priming(self, network: str, *, memo: bool = False) -> Amount:
        """Give what an address of a network shall hold at least, more where it takes sends with memos.

        Raises:
            BadConfig: for settings that are no amounts. NoSuchOrder: where the ledger asks for none.
        """
        native, least = chains.chain(network).network(network).native, customs(network).least
        section = self.section(network)
        found = {name: section.get(name, amount) for name, amount in least.items()}
        unknown = {name for name in section if name.startswith(_PRIME)} - set(least)
        if unknown or not all(isinstance(text, str) for text in found.values()):
            raise BadConfig(f'{" and ".join(least)} are whole coins as texts, such as "0.0005"')
        name = _PRIME_MEMO if memo else _PRIME_PLAIN
        if name not in found:
            raise NoSuchOrder(f"on {network} no address needs priming" + " for sends with memos" * memo)
        return parse_amount(found[name], native)

    def proposing(self, network: str) -> Settings:
        """Give what is proposed on a network. Raises BadConfig for settings that are none."""
        kinds = {name == _PRIME_MEMO for name in customs(network).least}
        primed = {memo: self.priming(network, memo=memo) for memo in kinds}
        return read_settings(network, self.section(network), primed)

    def section(self, network: str) -> Mapping[str, Any]:
        """Give what a network's section says, nothing where it has none."""
        return next((one for one in self.networks.values() if one["network"] == network), {})

    def person_file(self, name: str) -> Path:
        """Where a person's key file is."""
        return self.home / "people" / f"{name}.key"


def default_home() -> Path:
    """Give the data folder that is meant where none is named."""
    return Path(os.environ.get("LOCKGATE_HOME") or DEFAULT_HOME)


def create(home: Path, name: str, network: str, url: str) -> Config:
    """Make a data folder with its config.toml.

    Raises:
        AlreadySetUp: if there is one.
        UnknownChain: for an unknown network.
        DiskFull, FileTrouble: if it cannot be written.
    """
    from shared.transport.media import write_file

    chain = chains.chain(network)
    network_class = chain.network(network).network_class
    if (home / "config.toml").exists():
        raise AlreadySetUp(f"{home} is set up already")
    if '"' in url or "\\" in url or not url.isprintable():
        raise BadConfig("the node's url holds a letter that no url has")
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (home / "people").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise FileTrouble(f"the folder {home} can not be made: {error.strerror}") from None
    more = customs(network).settings
    words = {"name": name, "network_class": network_class, "chain": chain.name, "network": network, "url": url}
    text = _TEXT.format(**words, native=chain.network(network).native.code, more=more)
    write_file(home / "config.toml", text.encode())
    return load(home)


def load(home: Path) -> Config:
    """Read the config.toml of a data folder.

    Raises:
        NotSetUp: if there is none.
        BadConfig: if it is not TOML, or names something unknown.
    """
    file = home / "config.toml"
    if not file.is_file():
        raise NotSetUp(f"{home} holds no coordinator")
    try:
        values = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadConfig(f"{file} can not be read: {error}") from None
    return _config(home, values)


def gateways(config: Config) -> dict[str, Gateway]:
    """Give a gateway for each network that has a section; none is contacted yet."""
    sections = [_of_gateway(one) for one in config.networks.values()]
    return {str(one["network"]): connect(str(one["network"]), one) for one in sections}


def _of_gateway(section: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in section.items() if not name.startswith((_PRIME, PREFIX))}


def _config(home: Path, values: dict[str, Any]) -> Config:
    name, network_class = values.pop("name", "coordinator"), values.pop("network_class", None)
    store, spools = values.pop("store", {}), values.pop("spool", {})
    if network_class not in ("main", "test"):
        raise BadConfig('network_class is "main" or "test"')
    if not isinstance(name, str) or not isinstance(store, dict) or set(store) - {"url"}:
        raise BadConfig("name is a text, and [store] holds a url")
    if not isinstance(spools, dict) or not all(isinstance(folder, str) and folder for folder in spools.values()):
        raise BadConfig("[spool] holds a folder, as a text, for a signer's name")
    for chain, section in values.items():
        _check_section(chain, section, network_class)
    url = _store_url(home, str(store.get("url", "sqlite:///lockgate.db")))
    folders = {name: home / folder for name, folder in spools.items()}
    return Config(home, name, "main" if network_class == "main" else "test", url, values, folders)


def _check_section(chain: str, section: object, network_class: str) -> None:
    named = isinstance(section, dict) and isinstance(section.get("network"), str)
    if chain not in chains.names() or not isinstance(section, dict) or not named:
        raise BadConfig(f"[{chain[:40]}] is no section of a chain with its network")
    network = chains.chain(chain).network(section["network"])
    if network.network_class != network_class:
        raise BadConfig(f"{network.name} is not a {network_class} network")


def _has_password(text: str) -> bool:
    try:
        return urlsplit(text).password is not None
    except ValueError:  # a text that is no URL
        return False


def _store_url(home: Path, url: str) -> str:
    """Let a relative path of SQLite begin at the data folder, wherever the command is run."""
    lead = "sqlite:///"
    if url.startswith(lead) and not url.startswith(lead + "/"):
        return f"{lead}{home.resolve() / url.removeprefix(lead)}"
    return url


