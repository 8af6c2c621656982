"""What the tests of the house look at: the files of the repository, and what a fresh interpreter loads."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

FORBIDDEN = (
    "socket",
    "_socket",
    "ssl",
    "_ssl",
    "http",
    "asyncio",
    "urllib.request",
    "xrpl",
    "httpx",
    "websockets",
    "requests",
    "sqlalchemy",
    "online",
)
"""Modules that neither `shared` nor `offline_signer` may load, with all that lies below them."""

_IMPORT_ALL = """
import importlib, json, pkgutil, sys
sys.path[:0] = json.loads(sys.argv[1])
for package in json.loads(sys.argv[2]):
    root = importlib.import_module(package)
    for found in pkgutil.walk_packages(root.__path__, package + "."):
        if not found.name.endswith(".__main__"):
            importlib.import_module(found.name)
print(json.dumps({name: getattr(module, "__file__", None) for name, module in sys.modules.items()}))
"""


def loaded_by(packages: list[str], folder: Path) -> dict[str, str | None]:
    """Import every module of some packages in a fresh interpreter; give what it then holds, and the files.

    It runs without `site`, so that no editable install of the repository can lend it a module: it sees the
    standard library, the folder, and the installed dependencies.
    """
    paths = [str(folder), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    command = [sys.executable, "-I", "-S", "-B", "-c", _IMPORT_ALL, json.dumps(paths), json.dumps(packages)]
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=quiet, cwd=folder, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str | None] = json.loads(done.stdout.splitlines()[-1])
    return found


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Give the modules that a file imports, with every package above them."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(".".join(name.split(".")[:depth]) for name in names for depth in range(1, name.count(".") + 2))


@cache
def reaches_online(path: Path) -> bool:
    """Say whether a file of the tests imports `online`, itself or through others of the tests."""
    names = imports_of(path)
    others = [ROOT.joinpath(*name.split(".")).with_suffix(".py") for name in names if name.startswith("tests.")]
    return "online" in names or any(reaches_online(other) for other in others if other.is_file())


def forbidden_among(modules: dict[str, str | None]) -> list[str]:
    """Give the loaded modules that no signer may load."""
    return sorted(
        name for name in modules if any(name == bad or name.startswith(f"{bad}.") for bad in FORBIDDEN)
    )


def repository_files() -> list[Path]:
    """Give every file that is, or would be, in the repository; none outside a clone."""
    if not (ROOT / ".git").exists():
        return []
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]
