"""The command line itself: exit codes, the form of refusals and listings, secrets, help, decode, doctor and devnet.

Most run in this process; what only a process of its own can show (start-up time, descriptors, signals) runs as one.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from sqlalchemy import Engine, event

from online import cli
from online.cli.views import by_prefix
from shared.errors import NoSuchName, UnknownChain
from tests import shared_vectors
from tests.cli_house import PASSPHRASE, lockgate, signer

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = [sys.executable, "-m", "online.cli"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A coordinator that was just set up."""
    assert lockgate("--home", tmp_path, "init", "--kdf", "light", "--url", "http://127.0.0.1:9").code == 0
    return tmp_path


# --- exit codes and refusals --------------------------------------------------------------------------


def test_a_command_that_does_its_work_ends_with_zero(home: Path) -> None:
    assert lockgate("--home", home, "person", "list").code == 0


def test_a_refusal_is_one_line_with_a_code_and_a_hint_and_ends_with_one(tmp_path: Path) -> None:
    done = lockgate("--home", tmp_path / "nowhere", "order", "list")
    assert done.refused("not-set-up")
    assert done.out == ""


@pytest.mark.parametrize("words", [["fly"], ["run", "--interval", "soon"], ["approve"], ["decode", "xrpl"]])
def test_misuse_ends_with_two(words: list[str]) -> None:
    done = lockgate(*words)
    assert done.code == 2
    assert "Usage:" in done.err


def test_a_bug_is_a_traceback_and_ends_with_three(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    def broken(*_arguments: Any) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr("online.store.people.people", broken)
    done = lockgate("--home", home, "person", "list")
    assert done.code == 3
    assert "RuntimeError: broken on purpose" in done.err


def test_input_that_ends_before_a_passphrase_is_refused(home: Path) -> None:
    assert lockgate("--home", home, "person", "new", "alice", lines=[]).refused("missing-input")


def test_every_command_explains_itself() -> None:
    group = cli.lockgate
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert command.help
        assert command.help.splitlines()[0]


# --- secrets ------------------------------------------------------------------------------------------


def test_a_coordinator_is_never_set_up_over_another(home: Path) -> None:
    before = (home / "station.key").read_bytes()
    assert lockgate("--home", home, "init").refused("already-set-up")
    assert (home / "station.key").read_bytes() == before


def test_two_different_new_passphrases_make_nothing(tmp_path: Path) -> None:
    done = lockgate("--home", tmp_path, "init", lines=["one long passphrase", "another passphrase"])
    assert done.refused("passphrases-differ")
    assert lockgate("--home", tmp_path, "init", "--kdf", "light").code == 0


def test_a_light_cost_is_refused_for_real_money(tmp_path: Path) -> None:
    words = ("init", "--network", "xrpl:mainnet", "--url", "https://node.example", "--kdf", "light")
    assert lockgate("--home", tmp_path, *words).refused("weak-cost")


def test_no_passphrase_is_ever_printed(home: Path) -> None:
    done = lockgate("--home", home, "person", "new", "alice", "--kdf", "light")
    assert done.code == 0
    assert PASSPHRASE not in done.out + done.err
    assert all(PASSPHRASE.encode() not in path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_the_loop_takes_the_stations_passphrase_from_a_descriptor(home: Path) -> None:
    reader, writer = os.pipe()
    os.write(writer, f"{PASSPHRASE}\n".encode())
    os.close(writer)
    command = [*PROGRAM, "--home", str(home), "--station-passphrase-fd", str(reader), "run", "--once", "--json"]
    done = subprocess.run(
        command, env=ENVIRONMENT, pass_fds=[reader], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=30, check=False,
    )  # fmt: skip
    os.close(reader)
    assert json.loads(done.stdout)["troubles"] == [] or "node-unreachable" in done.stdout
    assert done.returncode in (0, 1)


def test_the_loop_ends_well_when_the_system_asks_it_to(home: Path) -> None:
    command = [*PROGRAM, "--home", str(home), "run", "--interval", "600"]
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as loop:
        assert loop.stdin is not None
        assert loop.stderr is not None
        loop.stdin.write(f"{PASSPHRASE}\n")
        loop.stdin.close()
        assert loop.stderr.readline() == "station passphrase: \n"
        heard = loop.stderr.readline()
        loop.send_signal(signal.SIGTERM)
        assert loop.wait(timeout=20) == 0
    assert "node-unreachable" in heard


@pytest.fixture
def failing() -> Iterator[Callable[[str], None]]:
    """Let the next turn's first statement fail as a database does: by SQLite's code, or as a server that is gone."""
    codes: list[str] = []

    def fail(_cursor: Any, statement: str, *_: Any) -> None:
        if codes and "signer" in statement:
            trouble = sqlite3.OperationalError("as the driver says it")
            if code := codes.pop():
                trouble.sqlite_errorname = code
            raise trouble

    event.listen(Engine, "do_execute", fail)
    yield codes.append
    event.remove(Engine, "do_execute", fail)


@pytest.mark.parametrize(("code", "said"), [("SQLITE_FULL", "disk-full"), ("", "store-unreachable")])
def test_a_database_that_fails_for_a_while_is_a_trouble_of_the_turn_and_does_not_end_the_loop(
    home: Path, failing: Callable[[str], None], code: str, said: str
) -> None:
    failing(code)
    done = lockgate("--home", home, "run", "--until-idle", "--interval", "0.1", "--json")
    first, last = (json.loads(line)["troubles"] for line in done.out.splitlines())
    assert (done.code, said in first[0], last) == (0, True, [])
    failing(code)
    assert lockgate("--home", home, "run", "--once").refused(said)


def test_a_store_that_is_busy_is_waited_for(home: Path, failing: Callable[[str], None]) -> None:
    failing("SQLITE_BUSY")
    done = lockgate("--home", home, "run", "--until-idle", "--interval", "0.1", "--json")
    first, last = (json.loads(line) for line in done.out.splitlines())
    assert (done.code, first["troubles"], last["waits"]) == (0, [], [])
    assert "store-busy" in first["waits"][0]


def test_the_signer_knows_a_key_file_that_was_made_on_the_coordinator(home: Path, tmp_path: Path) -> None:
    assert lockgate("--home", home, "person", "new", "alice", "--kdf", "light").code == 0
    policy = tmp_path / "policy.toml"
    policy.write_text("epoch = 0")
    words = ("policy", "draft", policy, "--as", home / "people" / "alice.key", "--out", tmp_path / "sealed")
    assert signer(*words).refused("bad-policy")


# --- listings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("person", "list"), ("wallet", "list"), ("wallet", "signers"), ("order", "list"), ("request", "list"),
        ("books", "sheet"), ("books", "trial"), ("books", "journal"), ("books", "check"),
    ],
)  # fmt: skip
def test_every_listing_of_nothing_is_an_empty_list(home: Path, words: tuple[str, ...]) -> None:
    assert lockgate("--home", home, *words, "--json").json == []


def test_a_person_stands_in_the_list_as_on_paper(home: Path) -> None:
    made = lockgate("--home", home, "person", "new", "alice", "--kdf", "light", "--json").json
    (row,) = lockgate("--home", home, "person", "list", "--json").json
    assert f"{row['name']} {row['key']}" == made["person"]
    assert row["key_file"] is True


def test_a_person_from_elsewhere_is_added_by_the_public_line(home: Path) -> None:
    line = f"zoe ed25519:{'ab' * 32}"
    assert lockgate("--home", home, "person", "add", line).code == 0
    (row,) = lockgate("--home", home, "person", "list", "--json").json
    assert (row["name"], row["key_file"]) == ("zoe", False)


def test_the_beginning_of_an_id_is_enough_when_it_is_the_only_one() -> None:
    ids = [("abcd12", 1), ("abcd34", 2), ("ef0012", 3)]
    assert by_prefix(ids, "ef00", "order") == 3
    for text in ("abcd", "ffff", "ef"):
        with pytest.raises(NoSuchName):
            by_prefix(ids, text, "order")


# --- decode -------------------------------------------------------------------------------------------


def good_blobs() -> list[dict[str, Any]]:
    cases = shared_vectors.cases("xrpl.json", "sign_single", "sign_multi")
    return [case for case in cases if case["expect"] == "equal"]


@pytest.mark.parametrize("case", good_blobs(), ids=shared_vectors.name_of)
def test_signed_vectors_are_explained_or_refused_with_a_code(case: dict[str, Any]) -> None:
    done = lockgate("decode", "xrpl", case["tx_blob"], "--json")
    if done.code == 0:
        assert done.json["signed"] != "no"
        assert case["hash"] in json.dumps(done.json).upper()
    else:
        assert re.search(r"\[xrpl-[a-z-]+\]", done.err)


@pytest.mark.parametrize("case", shared_vectors.cases("xrpl.json", "malformed_blob"), ids=shared_vectors.name_of)
def test_malformed_vectors_are_refused_with_a_code(case: dict[str, Any]) -> None:
    done = lockgate("decode", "xrpl", case["tx_blob"])
    assert done.code == 1
    assert "error: " in done.err


@pytest.mark.parametrize(
    ("chain", "text", "code"), [("dogecoin", "00", "unknown-chain"), ("xrpl", "zz", "bad-encoding")]
)
def test_what_is_no_transaction_is_refused(chain: str, text: str, code: str) -> None:
    assert lockgate("decode", chain, text).refused(code)


def test_a_transaction_of_another_network_is_refused() -> None:
    cases = [case for case in good_blobs() if lockgate("decode", "xrpl", case["tx_blob"]).code == 0]
    for case in cases[:1]:
        assert lockgate("decode", "xrpl", case["tx_blob"], "--network", "local").code == 1


def test_an_unknown_network_is_refused() -> None:
    assert lockgate("decode", "xrpl", "00", "--network", "atlantis").refused(UnknownChain.code)


# --- machine ------------------------------------------------------------------------------------------


def test_help_is_quick_because_nothing_heavy_is_loaded() -> None:
    look = (
        "import sys; from online.cli import main; main(['--help']);"
        "print(*(name in sys.modules for name in ('sqlalchemy', 'xrpl')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", look], env=ENVIRONMENT, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.splitlines()[-1] == "False False"


def test_doctor_names_what_is_not_as_it_should_be(home: Path) -> None:
    done = lockgate("--home", home, "doctor", "--json")
    assert done.refused("check-failed")
    found = {row["check"]: row["ok"] for row in done.json}
    assert found["python"]
    assert found["store"]
    assert found["node xrpl:local"] is False


def test_a_devnet_answers_until_it_is_stopped(tmp_path: Path) -> None:
    port = free_port()
    command = [*PROGRAM, "devnet", "--port", str(port), "--interval", "0.1", "--state", str(tmp_path / "ledger")]
    with subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True) as devnet:
        wait_for(port)
        url = f"http://127.0.0.1:{port}"
        funded = lockgate("devnet", "fund", "rrrrrrrrrrrrrrrrrrrrBZbvji", "20", "--url", url)
        devnet.send_signal(signal.SIGTERM)
        _, said = devnet.communicate(timeout=20)
    assert "funded" in funded.out, funded.err
    assert devnet.returncode == 0
    assert f"http://127.0.0.1:{port}" in said
    assert (tmp_path / "ledger").exists()


def test_money_is_made_on_a_devnet_of_this_machine_alone() -> None:
    done = lockgate("devnet", "fund", "rrrrrrrrrrrrrrrrrrrrBZbvji", "20", "--url", "https://node.example")
    assert done.refused("node-unreachable")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the devnet did not start")
