"""Merkle trees: against the published RFC 6962 cases, and every proof of small trees both ways."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from shared.errors import BadProof
from shared.merkle import (
    EMPTY_TREE,
    consistency_proof,
    grow,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from tests.shared_vectors import cases, name_of

LEAVES = [leaf_hash(bytes([number])) for number in range(20)]

# Where we are stricter than published: here the equal "roots" are words and no hashes.
STRICTER = {"merkle-consistency-092"}


def _path(case: dict[str, Any]) -> list[bytes]:
    return [base64.b64decode(step) for step in case["proof"] or []]


@pytest.mark.parametrize("case", cases("keys/merkle_inclusion.json"), ids=name_of)
def test_inclusion_is_judged_as_published(case: dict[str, Any]) -> None:
    leaf, top = (base64.b64decode(case[name]) for name in ("leafHash", "root"))
    if case["expect"] == "accept":
        verify_inclusion(case["leafIdx"], case["treeSize"], leaf, _path(case), top)
    else:
        with pytest.raises(BadProof):
            verify_inclusion(case["leafIdx"], case["treeSize"], leaf, _path(case), top)


@pytest.mark.parametrize("case", cases("keys/merkle_consistency.json"), ids=name_of)
def test_consistency_is_judged_as_published(case: dict[str, Any]) -> None:
    old, new = (base64.b64decode(case[name]) for name in ("root1", "root2"))
    if case["expect"] == "accept" and case["id"] not in STRICTER:
        verify_consistency(case["size1"], case["size2"], old, new, _path(case))
    else:
        with pytest.raises(BadProof):
            verify_consistency(case["size1"], case["size2"], old, new, _path(case))


def _root_by_definition(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    half = max(2**power for power in range(10) if 2**power < len(leaves))
    return node_hash(_root_by_definition(leaves[:half]), _root_by_definition(leaves[half:]))


@pytest.mark.parametrize("size", range(20))
def test_a_growing_tree_has_the_root_of_the_definition(size: int) -> None:
    assert root(LEAVES[:size]) == _root_by_definition(LEAVES[:size])
    assert grow(grow(EMPTY_TREE, LEAVES[: size // 2]), LEAVES[size // 2 : size]).root() == root(LEAVES[:size])


def test_the_proof_of_every_leaf_shows_that_leaf_at_that_place_and_no_other() -> None:
    for size in range(1, 20):
        top = root(LEAVES[:size])
        for index in range(size):
            proof = inclusion_proof(LEAVES[:size], index)
            verify_inclusion(index, size, LEAVES[index], proof, top)
            for wrong in set(range(size + 1)) - {index}:
                with pytest.raises(BadProof):
                    verify_inclusion(wrong, size, LEAVES[index], proof, top)
            with pytest.raises(BadProof):
                verify_inclusion(index, size, LEAVES[index], (*proof, bytes(32)), top)
            for place in range(len(proof)):
                with pytest.raises(BadProof):
                    verify_inclusion(index, size, LEAVES[index], proof[:place] + proof[place + 1 :], top)


def test_every_growth_is_proven_and_every_altered_proof_refused() -> None:
    for size in range(1, 20):
        new = root(LEAVES[:size])
        for old_size in range(1, size + 1):
            old, proof = root(LEAVES[:old_size]), consistency_proof(LEAVES[:size], old_size)
            verify_consistency(old_size, size, old, new, proof)
            with pytest.raises(BadProof):
                verify_consistency(old_size, size, old, new, (*proof, bytes(32)))
            with pytest.raises(BadProof):
                verify_consistency(old_size, size, bytes(32), new, proof)
            for place in range(len(proof)):
                with pytest.raises(BadProof):
                    verify_consistency(old_size, size, old, new, proof[:place] + proof[place + 1 :])


def test_a_leaf_or_a_size_that_is_not_there_has_no_proof() -> None:
    for index in (-1, 3):
        with pytest.raises(ValueError, match="no leaf"):
            inclusion_proof(LEAVES[:3], index)
    for size in (0, 4):
        with pytest.raises(ValueError, match="no tree"):
            consistency_proof(LEAVES[:3], size)
