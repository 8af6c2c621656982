"""Every command of docs/treasury.md and docs/integrator.md, run in its order after the operator's first crossing was.

As for the operator's page, the text is the script; numbers of mandates and arrivals are filled in from the screen.
"""

from __future__ import annotations

import importlib
import re

from tests.cli_house import lockgate
from tests.test_docs_operator import BLOCK, ROOT, Machines, commands, machines

__all__ = ["machines"]

PAGE = (ROOT / "docs" / "treasury.md").read_text("utf-8")


def test_every_command_of_the_treasurys_page_does_what_the_page_says(machines: Machines) -> None:
    machines.play(until="Many payments at once: tickets")
    ran = 0
    for kind, name, text in BLOCK.findall(PAGE):
        if kind == "toml":
            machines.write(name, text)
            continue
        for command in commands(text):
            if "MANDATE…" in command.line:
                number = lockgate("mandate", "list", "--json").json[0]["mandate"]
                command.line = command.line.replace("MANDATE…", number)
            if "ARRIVAL…" in command.line:
                (waits,) = lockgate("suspense", "list", "--json").json
                command.line = command.line.replace("ARRIVAL…", str(waits["arrival"]))
            if "RETURN…" in command.line:
                (back,) = [one for one in lockgate("order", "list", "--json").json if one["kind"] == "return"]
                command.line = command.line.replace("RETURN…", back["order"])
            machines.run(command)
            ran += 1
    assert ran > 40
    proposed = {one["what"]: one["command"] for one in lockgate("target", "advise", "--json").json}
    assert "tickets" not in proposed  # the page's order is on its way
    states = {one["withdrawal"]: one["state"] for one in lockgate("withdrawal", "list", "--json").json}
    assert states == {"w-1": "ordered", "w-2": "cancelled"}
    arrivals = [(one["state"], one["customer"], one["amount"]) for one in lockgate("deposit", "list", "--json").json]
    assert ("credited", "dave", "250 XRP") in arrivals
    assert arrivals[-2:] == [("own", None, "100 XRP"), ("suspense", None, "5 XRP")]
    (back,) = [one for one in lockgate("order", "list", "--json").json if one["kind"] == "return"]
    assert (back["drafted_by"], back["approved_by"]) == ("alice", "bob")


def test_the_page_says_what_two_people_are_needed_for() -> None:
    assert len(re.findall(r"passphrase of bob", PAGE)) == 6


def test_every_command_of_the_integrators_page_does_what_the_page_says(machines: Machines) -> None:
    machines.play(until="Many payments at once: tickets")
    page = (ROOT / "docs" / "integrator.md").read_text("utf-8")
    ran = [command for _, _, text in BLOCK.findall(page) for command in commands(text)]
    for command in ran:
        machines.run(command)
    assert len(ran) == 8
    assert lockgate("customer", "show", "4711", "--json").json["owed"] == ["25 XRP on xrpl:local"]


def test_the_functions_that_the_integrators_page_names_are_there() -> None:
    page = (ROOT / "docs" / "integrator.md").read_text("utf-8")
    named = re.findall(r"`(online\.[a-z_.]+)\.([a-z_]+)`", page)
    assert len(named) == 8
    assert all(callable(getattr(importlib.import_module(module), name)) for module, name in named)
