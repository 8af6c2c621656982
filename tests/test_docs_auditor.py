"""Every command of docs/auditor.md, run in its order after the operator's page was, on copies.

As for the operator's page, the text is the script. The auditor's commands get nothing typed: whatever would ask for a
passphrase fails. What the commands say of forged copies stands in test_cli_audit.py.
"""

from __future__ import annotations

import re
import shlex
import shutil

from tests.test_docs_operator import BLOCK, ROOT, Command, Machines, machines

__all__ = ["machines"]

PAGE = (ROOT / "docs" / "auditor.md").read_text("utf-8")


def auditor_steps() -> list[Command]:
    found: list[Command] = []
    for _, _, text in BLOCK.findall(PAGE):
        for line in text.splitlines():
            if start := re.match(r"(?:signer|coordinator|auditor)\$ (.*)", line):
                found.append(Command(start[1]))
            else:
                assert "passphrase" in line
                found[-1].passphrases += 1
    return found


def test_every_command_of_the_auditors_page_does_what_the_page_says(machines: Machines) -> None:
    assert machines.play(until="Bitcoin and Counterparty") > 45
    (machines.folder / "copies").mkdir()
    for step in auditor_steps():
        words = shlex.split(step.line)
        if words[0] == "cp":
            shutil.copytree(words[2], words[3])
        else:
            machines.run(step)
    store = machines.folder / "copies" / "lockgate-data" / "lockgate.db"
    assert store.exists()


def test_the_auditors_own_commands_ask_for_no_passphrase() -> None:
    assert sum(step.passphrases for step in auditor_steps()) == 2
    assert not re.search(r"auditor\$.*\n.*passphrase", PAGE)
