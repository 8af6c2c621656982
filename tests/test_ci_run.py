"""What continuous integration makes of servers that can not be had: `.ci/run`, over stand-ins of what it starts."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
TOOLS = ("bash", "cat", "chmod", "dirname", "env", "mktemp", "rm", "seq", "timeout")
SUITES = "the coordinator's suites on PostgreSQL"
ABSENT = f"error: {SUITES} did not run (run this again, or allow it with LOCKGATE_CI_MAY_LEAVE_OUT=1)"
COMES, FAILS = "echo url", "echo the mirror does not answer >&2; exit 1"
COMES_LATE = "test -e tried && echo url || { : >tried; exit 1; }"
TESTS = 'echo "tests ran on ${LOCKGATE_POSTGRES_URL:-nothing}"'


@pytest.mark.parametrize(("postgres", "bitcoind", "apt", "environment", "code", "last"), [
    (COMES, COMES, True, {}, 0, "tests ran on url"),
    (COMES_LATE, COMES, True, {}, 0, "tests ran on url"),
    (FAILS, COMES, True, {}, 1, ABSENT),
    (FAILS, COMES, True, {"LOCKGATE_CI_MAY_LEAVE_OUT": "1"}, 0, f"NO SERVER COULD BE HAD: LEFT OUT: {SUITES}"),
    (FAILS, COMES, True, {"LOCKGATE_POSTGRES_URL": "given"}, 0, "tests ran on given"),
    (FAILS, COMES, False, {}, 0, f"NO SERVER COULD BE HAD: LEFT OUT: {SUITES}"),
    (COMES, COMES_LATE, True, {}, 0, "NO SERVER COULD BE HAD: LEFT OUT: tests/test_btc_gateway_real.py"),
    (COMES, FAILS, True, {}, 0, "NO SERVER COULD BE HAD: LEFT OUT: tests/test_real_bitcoin.py"),
])  # fmt: skip
def test_without_a_postgresql_it_fails_only_where_one_could_be_had(
    tmp_path: Path, postgres: str, bitcoind: str, apt: bool, environment: dict[str, str], code: int, last: str
) -> None:
    done = _run(tmp_path, postgres, bitcoind, TESTS, environment, apt=apt)
    assert "tests ran on" in done.stdout, done.stdout
    assert (done.returncode, done.stdout.splitlines()[-1]) == (code, last)


def test_what_the_tests_say_is_what_it_says(tmp_path: Path) -> None:
    assert _run(tmp_path, COMES, COMES, "exit 7", {}, apt=True).returncode == 7
    assert _run(tmp_path, FAILS, COMES, "exit 7", {}, apt=True).returncode == 7


def _run(
    folder: Path, postgres: str, bitcoind: str, tests: str, environment: dict[str, str], *, apt: bool
) -> subprocess.CompletedProcess[str]:
    """Run it in a folder of stand-ins, on a machine that has the tools it needs and nothing else; nobody waits."""
    for name, text in ((".ci/postgres", postgres), (".ci/regtest-node", bitcoind), ("run", tests)):
        _program(folder / name, text)
    shutil.copy(REPOSITORY / ".ci" / "run", folder / ".ci" / "run")
    _program(folder / "bin" / "sleep", "")
    if apt:
        _program(folder / "bin" / "apt-get", "")
    for tool in TOOLS:
        if not (link := folder / "bin" / tool).exists():
            link.symlink_to(shutil.which(tool) or tool)
    return subprocess.run(
        [folder / ".ci" / "run"], cwd=folder, env={"PATH": str(folder / "bin"), **environment}, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
    )  # fmt: skip


def _program(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{text}\n")
    path.chmod(0o755)
