"""NEAR's codec against implementations that are not ours, on transactions drawn by lot, read and written both ways.

pyonear is nearcore's own crates of another version than py-near-primitives'; near-api-js is a stranger. The last is
installed from npm into a folder of its own, for this file alone; where Node, npm or the registry is missing the test is
left out and says so.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import py_near_primitives as primitives
import pytest
from pyonear.transaction import SignedTransaction
from pyonear.transaction import Transaction as Other

from shared.chains.near.codec import encode_transaction, read_transaction, signature_bytes
from shared.chains.near.delegates import delegate_hash, encode_delegate
from shared.chains.near.keys import base58_text, key_text
from shared.chains.near.model import Action, AddKey, DeleteKey, FunctionCall, Transaction, Transfer
from shared.errors import Refusal
from tests.near_house import KEY, SECRET, drawn_delegate, drawn_transaction, kinds

COUNT = 5_000
SCRIPT = Path(__file__).with_name("near_api_js.mjs")

NODES = {(22, 22): "near-api-js@7.3.1", (20, 0): "near-api-js@6.5.1"}
"""The newest release that each Node can run, by the Node that it asks for."""


def drawn(seed: str) -> list[Transaction]:
    lots = random.Random(seed)
    return [drawn_transaction(lots) for _ in range(COUNT)]


def as_json(one: Transaction) -> dict[str, Any]:
    """Write a transaction as nearcore's crates do; amounts are texts, gas and nonces numbers."""
    return {
        "signer_id": one.signer,
        "public_key": key_text(one.public_key),
        "nonce": one.nonce,
        "receiver_id": one.receiver,
        "block_hash": base58_text(one.block_hash),
        "actions": [action_json(action) for action in one.actions],
    }


def action_json(action: Action) -> dict[str, Any]:
    match action:
        case Transfer(deposit):
            return {"Transfer": {"deposit": str(deposit)}}
        case FunctionCall(method, args, gas, deposit):
            body = {"method_name": method, "args": b64encode(args).decode(), "gas": gas, "deposit": str(deposit)}
            return {"FunctionCall": body}
        case AddKey(public_key, nonce):
            access = {"nonce": nonce, "permission": "FullAccess"}
            return {"AddKey": {"public_key": key_text(public_key), "access_key": access}}
        case DeleteKey(public_key):
            return {"DeleteKey": {"public_key": key_text(public_key)}}


# --- nearcore's crates ----------------------------------------------------------------------------------


def test_pyonear_reads_what_we_write_and_writes_what_we_read() -> None:
    for one in drawn("pyonear"):
        raw = encode_transaction(one)
        other = Other.from_bytes(raw)
        assert json.loads(other.to_json()) == as_json(one)
        assert bytes(other) == raw
        assert str(other.get_hash_and_size()[0]) == base58_text(sha256(raw).digest())
        theirs = Other.from_json(json.dumps(as_json(one)))
        assert read_transaction(bytes(theirs)) == one


def test_pyonear_and_we_take_and_refuse_the_same_altered_bytes() -> None:
    """Only what we refuse on purpose may differ: actions and keys that are never signed here, too many actions."""
    lots = random.Random("altered")
    taken = 0
    for one in drawn("altered")[:2_000]:
        raw = bytearray(encode_transaction(one))
        for _ in range(lots.randint(1, 3)):
            raw[lots.randrange(len(raw))] = lots.randrange(256)
        code = refused_as(bytes(raw))
        if code is None:
            taken += 1
            assert bytes(Other.from_bytes(bytes(raw))) == raw
        elif code in ("near-malformed", "bad-address"):
            with pytest.raises(ValueError):  # noqa: PT011 - each cause has a message of its own there
                Other.from_bytes(bytes(raw))
    assert taken > 500


def refused_as(raw: bytes) -> str | None:
    try:
        read_transaction(raw)
    except Refusal as refusal:
        return refusal.code
    return None


def test_what_py_near_writes_and_hashes_is_what_we_write() -> None:
    for one in drawn("py-near")[:1_000]:
        theirs = primitives.Transaction(
            one.signer, one.public_key, one.nonce, one.receiver, one.block_hash, [primitive(a) for a in one.actions]
        )
        raw = encode_transaction(one)
        assert bytes(theirs.get_hash()) == sha256(raw).digest()
        signed = SignedTransaction.from_bytes(bytes(theirs.to_vec(SECRET.encode() + KEY)))
        assert bytes(signed.transaction) == raw


def test_delegate_actions_of_py_near_are_ours_in_bytes_and_hash() -> None:
    lots = random.Random("delegates")
    for _ in range(1_000):
        one = drawn_delegate(lots)
        actions = [primitive(action) for action in one.actions]
        theirs = primitives.DelegateAction(
            one.signer, one.receiver, actions, one.nonce, one.max_block_height, one.public_key
        )
        assert bytes(theirs.serialize()) == encode_delegate(one)
        assert bytes(theirs.get_nep461_hash()) == delegate_hash(encode_delegate(one))


def primitive(action: Action) -> Any:
    match action:
        case Transfer(deposit):
            return primitives.TransferAction(deposit)
        case FunctionCall(method, args, gas, deposit):
            return primitives.FunctionCallAction(method, args, gas, deposit)
        case AddKey(public_key, nonce):
            full = primitives.AccessKey(nonce, primitives.AccessKeyPermissionFieldless.FullAccess)
            return primitives.AddKeyAction(public_key, full)
        case DeleteKey(public_key):
            return primitives.DeleteKeyAction(public_key)


@pytest.mark.parametrize("kind", [one for one in kinds() if not one.startswith("nep366")])
def test_every_kind_that_is_built_reads_in_nearcores_crates(kind: str) -> None:
    raw = kinds()[kind]
    assert bytes(Other.from_bytes(raw)) == raw
    assert bytes(SignedTransaction.from_bytes(raw + signature_bytes(bytes(64))).transaction) == raw


# --- near-api-js ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def near_api_js(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Install the release that this machine's Node can run, without any of its scripts; skip where that fails."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("near-api-js is LEFT OUT: there is no Node or npm here")
    version = run([node, "--version"])
    have = tuple(int(part) for part in version.stdout.strip().lstrip("v").split(".")[:2])
    release = next((name for least, name in NODES.items() if have >= least), None)
    if release is None:
        pytest.skip(f"near-api-js is LEFT OUT: Node {version.stdout.strip()} is too old for it")
    folder = tmp_path_factory.mktemp("near-api-js")
    (folder / "package.json").write_text("{}")
    done = run([npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder), release])
    if done.returncode:
        pytest.skip(f"near-api-js is LEFT OUT: npm gives no {release} here: {done.stderr[-200:]}")
    yield folder
    shutil.rmtree(folder)


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)


def plain(one: Transaction) -> Transaction:
    """Give a transaction with methods of ASCII alone: the older release reads other texts byte by byte."""
    methods = [
        replace(action, method=action.method.encode("ascii", "replace").decode())
        if isinstance(action, FunctionCall)
        else action
        for action in one.actions
    ]
    return replace(one, actions=tuple(methods))


def fields_of(one: Transaction) -> dict[str, Any]:
    return {
        "signer": one.signer,
        "key": one.public_key.hex(),
        "nonce": str(one.nonce),
        "receiver": one.receiver,
        "block": one.block_hash.hex(),
        "actions": [parts_of(action) for action in one.actions],
        "bytes": encode_transaction(one).hex(),
    }


def parts_of(action: Action) -> list[str]:
    match action:
        case Transfer(deposit):
            return ["transfer", str(deposit)]
        case FunctionCall(method, args, gas, deposit):
            return ["functionCall", method, args.hex(), str(gas), str(deposit)]
        case AddKey(public_key, nonce):
            return ["addKey", public_key.hex(), str(nonce)]
        case DeleteKey(public_key):
            return ["deleteKey", public_key.hex()]


def test_near_api_js_reads_what_we_write_and_writes_the_same_bytes(near_api_js: Path) -> None:
    given = [fields_of(plain(one)) for one in drawn("near-api-js")]
    lines = near_api_js / "lines.json"
    lines.write_text("\n".join(json.dumps(one) for one in given), "utf-8")
    done = run(["node", str(SCRIPT), str(near_api_js), str(lines)])
    assert done.returncode == 0, done.stderr[-2000:]
    assert [json.loads(line) for line in done.stdout.splitlines()] == given
