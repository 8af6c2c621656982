"""Merkle trees as RFC 6962 hashes them: roots, growing trees, proofs of inclusion and of consistency.

A root binds all leaves and their order; an auditor who kept an old root can prove that a journal only grew.
Proofs about trees of size 0 say nothing and are refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from shared.errors import BadProof


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree that can grow: its size and the roots of its complete subtrees, the largest first."""

    size: int
    peaks: tuple[bytes, ...]

    def append(self, leaf: bytes) -> Tree:
        """Give the tree with one more leaf hash, in O(log n) steps."""
        peaks = list(self.peaks)
        # One complete subtree stands for each one-bit of the size; adding a leaf carries like adding one.
        carry, size = leaf, self.size
        while size & 1:
            carry = node_hash(peaks.pop(), carry)
            size >>= 1
        return Tree(self.size + 1, (*peaks, carry))

    def root(self) -> bytes:
        """Give the root; the empty tree's root is the hash of nothing."""
        if not self.peaks:
            return hashlib.sha256().digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


EMPTY_TREE: Final = Tree(0, ())


def leaf_hash(leaf: bytes) -> bytes:
    """Hash a leaf."""
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees together; the prefix keeps a node from passing as a leaf."""
    return hashlib.sha256(b"\1" + left + right).digest()


def grow(tree: Tree, leaves: Iterable[bytes]) -> Tree:
    """Give the tree with further leaf hashes."""
    for leaf in leaves:
        tree = tree.append(leaf)
    return tree


def root(leaves: Sequence[bytes]) -> bytes:
    """Give the root over leaf hashes."""
    return grow(EMPTY_TREE, leaves).root()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Prove that the leaf hash at an index stands under the root of all (RFC 6962 section 2.1.1)."""
    if not 0 <= index < len(leaves):
        raise ValueError(f"no leaf {index} among {len(leaves)}")
    if len(leaves) == 1:
        return ()
    half = _split(len(leaves))
    if index < half:
        return (*inclusion_proof(leaves[:half], index), root(leaves[half:]))
    return (*inclusion_proof(leaves[half:], index - half), root(leaves[:half]))


def consistency_proof(leaves: Sequence[bytes], size: int) -> tuple[bytes, ...]:
    """Prove that the tree of the first `size` leaf hashes grew into that of all (RFC 6962 section 2.1.2)."""
    if not 1 <= size <= len(leaves):
        raise ValueError(f"no tree of size {size} among {len(leaves)} leaves")
    return _grown(leaves, size, known=True)


def verify_inclusion(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], expected_root: bytes
) -> None:
    """Check that a leaf hash stands at an index under a root.

    Raises:
        BadProof: if the proof does not show it.
    """
    if not 0 <= index < size:
        raise BadProof(f"entry {index} is not in a journal of {size}")
    _require_hashes(leaf, expected_root, *proof)
    at, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            raise BadProof("the proof is longer than the tree is high")
        if at & 1 or at == last:
            found = node_hash(step, found)
            at, last = _up_from_right(at, last)
        else:
            found = node_hash(found, step)
        at, last = at >> 1, last >> 1
    if last or found != expected_root:
        raise BadProof(f"the proof does not show that entry {index} is in the journal")


def verify_consistency(
    old_size: int, size: int, old_root: bytes, expected_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree of an old size and root grew into one of a new size and root.

    Raises:
        BadProof: if the proof does not show it.
    """
    if not 1 <= old_size <= size:
        raise BadProof(f"nothing is proven between trees of size {old_size} and {size}")
    _require_hashes(old_root, expected_root, *proof)
    if old_size == size:
        if proof or old_root != expected_root:
            raise BadProof("two roots of one size differ, or the proof is longer than needed")
        return
    # The old tree's own root opens the path where it is complete in itself; then the proof leaves it out.
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    if len(path) < 2:
        raise BadProof("the proof is too short")
    if _climb(old_size, size, path) != (old_root, expected_root):
        raise BadProof(f"the journal of {size} entries did not grow out of the one of {old_size}")


def _climb(old_size: int, size: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    at, last = old_size - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old_found = found = path[0]
    for step in path[1:]:
        if last == 0:
            raise BadProof("the proof is longer than the tree is high")
        if at & 1 or at == last:
            old_found, found = node_hash(step, old_found), node_hash(step, found)
            at, last = _up_from_right(at, last)
        else:
            found = node_hash(found, step)
        at, last = at >> 1, last >> 1
    if last:
        raise BadProof("the proof is too short")
    return old_found, found


def _up_from_right(at: int, last: int) -> tuple[int, int]:
    """Skip the levels at which a last node has no neighbour and rises as it is."""
    while at and not at & 1:
        at, last = at >> 1, last >> 1
    return at, last


def _require_hashes(*hashes: bytes) -> None:
    if any(len(item) != 32 for item in hashes):
        raise BadProof("the proof, the leaf or a root is not made of SHA-256 hashes")


def _grown(leaves: Sequence[bytes], size: int, *, known: bool) -> tuple[bytes, ...]:
    """Prove growth; `known` says that the verifier holds the root of this very subtree already."""
    if size == len(leaves):
        return () if known else (root(leaves),)
    half = _split(len(leaves))
    if size <= half:
        return (*_grown(leaves[:half], size, known=known), root(leaves[half:]))
    return (*_grown(leaves[half:], size - half, known=False), root(leaves[:half]))


def _split(count: int) -> int:
    """Give the largest power of two below a count."""
    return 1 << (count - 1).bit_length() - 1
