"""The password of the store's server has no face: no message, listing or form of an object shows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from online import config
from online.store.database import Store, open_store
from online.store.engine import make_engine
from shared.errors import Refusal, StoreUnreachable
from tests.cli_house import lockgate
from tests.store_place import SERVER, needs_server

SECRET = "sw0rdfish"
URL = f"postgresql://lockgate:{SECRET}@127.0.0.1:1/lockgate"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data folder whose store is on a server that does not answer, and whose node's url has a password."""
    home = tmp_path / "data"
    config.create(home, "coordinator", "xrpl:local", "http://127.0.0.1:1")
    settle(home, URL)
    return home


def settle(home: Path, url: str) -> None:
    file = home / "config.toml"
    lines = [f'url = "{url}"' if "sqlite" in line or "postgresql://" in line else line
             for line in file.read_text().splitlines()]  # fmt: skip
    file.write_text("\n".join(lines))


def settings(home: Path) -> dict[str, Any]:
    rows: list[dict[str, Any]] = json.loads(lockgate("--home", home, "doctor", "--json").out)
    return next(row for row in rows if row["check"] == "settings")


@pytest.mark.parametrize("command", [("doctor",), ("doctor", "--json"), ("order", "list"), ("withdrawal", "list")])
def test_no_command_shows_it_when_the_server_is_not_there(home: Path, command: tuple[str, ...]) -> None:
    done = lockgate("--home", home, *command)
    assert SECRET not in f"{done.out}{done.err}"
    assert "store-unreachable" in f"{done.out}{done.err}"


def test_no_form_of_the_settings_the_engine_or_the_store_shows_it(home: Path) -> None:
    loaded = config.load(home)
    engine = make_engine(loaded.store_url)
    assert SECRET in loaded.store_url
    assert SECRET not in f"{loaded!r} {loaded} {engine!r} {engine.url} {Store(engine, None)!r}"


@pytest.mark.parametrize(
    "url", [f"{URL}?sslpassword={SECRET}", f"postgresql://127.0.0.1/x?password={SECRET}", f"mysql://u:{SECRET}@h/d",
            f"postgresql://u:{SECRET}@h:port/d", f"postgresql://127.0.0.1/x?PASSWORD={SECRET}", f"{SECRET}"],
)  # fmt: skip
def test_a_url_that_can_not_be_used_is_refused_without_it(home: Path, url: str) -> None:
    with pytest.raises(StoreUnreachable) as refused:
        make_engine(url)
    assert SECRET not in f"{refused.value} {refused.value.hint} {refused.value.__cause__}"


def test_settings_that_are_no_toml_are_refused_without_it(home: Path) -> None:
    (home / "config.toml").write_text(f'[store]\nurl = "{URL}" "\n')
    with pytest.raises(Refusal) as refused:
        config.load(home)
    assert SECRET not in str(refused.value)


def test_the_doctor_says_no_where_others_can_read_it(home: Path) -> None:
    file = home / "config.toml"
    assert file.stat().st_mode & 0o777 == 0o600
    assert settings(home)["ok"] is True
    for mode in (0o640, 0o604):
        file.chmod(mode)
        assert settings(home) == {"check": "settings", "ok": False, "found": settings(home)["found"]}
    settle(home, "postgresql://lockgate@127.0.0.1:1/lockgate")
    assert settings(home)["ok"] is True
    assert "without a password" in settings(home)["found"]
    text = file.read_text().replace("http://127.0.0.1:1", f"http://user:{SECRET}@127.0.0.1:1")
    file.write_text(text)
    assert settings(home)["ok"] is False


@needs_server
@pytest.mark.postgres
@pytest.mark.parametrize("way", ["PGPASSFILE", "passfile", "PGPASSWORD", "HOME"])
def test_it_is_found_where_postgresql_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    url, file = make_url(SERVER), tmp_path / ".pgpass"
    file.write_text(f"{url.host}:{url.port}:*:{url.username}:{url.password}\n")
    file.chmod(0o600)
    bare = url._replace(password=None)
    values = {"PGPASSFILE": str(file), "PGPASSWORD": str(url.password), "HOME": str(tmp_path)}
    if way == "passfile":
        bare = bare.update_query_dict({"passfile": str(file)})
    else:
        monkeypatch.setenv(way, values[way])
    with make_engine(bare.render_as_string(hide_password=False)).connect() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    if way in ("PGPASSFILE", "passfile"):
        file.chmod(0o644)
        with pytest.raises(StoreUnreachable):
            open_store(bare.render_as_string(hide_password=False))
