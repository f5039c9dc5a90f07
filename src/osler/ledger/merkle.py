"""The Merkle tree of RFC 6962, section 2.1, over the entries' hashes: roots, audit paths, consistency of two roots.

Leaves and nodes are hashed under different prefixes, so that neither passes for the other. It knows no entry.
"""

import hashlib
from collections.abc import Iterable, Sequence


def leaf(content: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + content).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that grows at its end and keeps only the roots of its whole subtrees."""

    def __init__(self, contents: Iterable[bytes] = ()) -> None:
        self.size = 0
        self._peaks: list[bytes] = []
        for content in contents:
            self.add(content)

    def add(self, content: bytes) -> None:
        hashed, size = leaf(content), self.size
        while size & 1:
            hashed, size = _node(self._peaks.pop(), hashed), size >> 1
        self._peaks.append(hashed)
        self.size += 1

    def root(self) -> str:
        """Hexadecimal; of an empty tree the hash of nothing."""
        if not self._peaks:
            return hashlib.sha256().hexdigest()
        *left, found = self._peaks
        for peak in reversed(left):
            found = _node(peak, found)
        return found.hex()


def path(contents: Sequence[bytes], index: int) -> list[str]:
    """The audit path of the content at `index`, from the leaf up."""
    level, found = [leaf(content) for content in contents], []
    while len(level) > 1:
        if (sibling := index ^ 1) < len(level):
            found.append(level[sibling].hex())
        pairs = [_node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level, index = pairs + level[len(pairs) * 2 :], index >> 1
    return found


def consistency(contents: Sequence[bytes], old: int) -> list[str]:
    """The proof that the tree over the first `old` contents (1 to all) is the beginning of the tree over all."""

    def proof(size: int, part: Sequence[bytes], known: bool) -> list[str]:
        if size == len(part):
            return [] if known else [Tree(part).root()]
        middle = _middle(len(part))
        if size <= middle:
            return [*proof(size, part[:middle], known), Tree(part[middle:]).root()]
        return [*proof(size - middle, part[middle:], False), Tree(part[:middle]).root()]

    return proof(old, contents, True)


def _middle(size: int) -> int:
    """How many leaves a tree of this size has on its left: the largest power of two below it."""
    return 1 << (size - 1).bit_length() - 1


def includes(root: str, size: int, index: int, content: bytes, path: Sequence[str]) -> bool:
    """Whether an audit path leads from the content to the root. Raises ValueError for what is no hash."""
    steps = [bytes.fromhex(step) for step in path]

    def climb(index: int, size: int) -> bytes:
        if size == 1:
            return leaf(content)
        sibling, middle = steps.pop(), _middle(size)
        return (
            _node(climb(index, middle), sibling)
            if index < middle
            else _node(sibling, climb(index - middle, size - middle))
        )

    try:
        return 0 <= index < size and climb(index, size).hex() == root and not steps
    except IndexError:  # the path is too short
        return False


def consistent(old_root: str, old: int, root: str, size: int, proof: Sequence[str]) -> bool:
    """Whether a proof shows that the smaller tree is the beginning of the larger one. Raises ValueError as above."""
    steps = [bytes.fromhex(step) for step in proof]

    def climb(old: int, size: int, known: bool) -> tuple[bytes, bytes]:
        """The roots of this part in the smaller tree and in the larger one."""
        if old == size:
            there = bytes.fromhex(old_root) if known else steps.pop()
            return there, there
        sibling, middle = steps.pop(), _middle(size)
        if old <= middle:
            before, after = climb(old, middle, known)
            return before, _node(after, sibling)
        before, after = climb(old - middle, size - middle, False)
        return _node(sibling, before), _node(sibling, after)

    try:
        return (
            1 <= old <= size and climb(old, size, True) == (bytes.fromhex(old_root), bytes.fromhex(root)) and not steps
        )
    except IndexError:
        return False
