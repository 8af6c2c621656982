"""Looks whether the box is what it should be: without network interfaces, radios, routes and listening sockets.

These are trip-wires. The boundary itself is a machine without a network card; a process cannot prove that from within.
"""

from __future__ import annotations

from pathlib import Path


def findings(root: Path = Path("/")) -> list[str]:
    """Say in lines what speaks against the air gap, if anything does; `root` is where the system's folders are."""
    return [*_interfaces(root), *_routes(root), *_radios(root), *_listeners(root)]


def reach(root: Path = Path("/")) -> list[str]:
    """Say in lines how this process itself could reach a network, whatever the host beside it has."""
    return [*_routes(root), *_listeners(root)]


def _interfaces(root: Path) -> list[str]:
    folder = root / "sys/class/net"
    # Interfaces are folders (links to them); beside them may lie files such as bonding_masters.
    names = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    return [f"network interface {name}" for name in names if name != "lo"]


def _radios(root: Path) -> list[str]:
    found = []
    for kind, folder in (("radio", "sys/class/rfkill"), ("bluetooth", "sys/class/bluetooth")):
        if (root / folder).is_dir():
            found += [f"{kind} {path.name}" for path in sorted((root / folder).iterdir())]
    return found


def _routes(root: Path) -> list[str]:
    lines = _lines(root / "proc/net/route")[1:]
    routes = [f"route through {line.split()[0]}" for line in lines if line.split()]
    devices = [line.split()[-1] for line in _lines(root / "proc/net/ipv6_route") if line.split()]
    routes += [f"route through {device}" for device in devices if device != "lo"]
    return sorted(set(routes))


def _listeners(root: Path) -> list[str]:
    count = 0
    for name in ("tcp", "tcp6"):
        # proc(5): the fourth column is the state; 0A is LISTEN.
        count += sum(line.split()[3] == "0A" for line in _lines(root / "proc/net" / name)[1:] if len(line.split()) > 3)
    return [f"{count} listening sockets"] if count else []


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("ascii", "replace").splitlines()
    except OSError:
        return []
