"""One walk along the chain that finds the first entry that was changed, removed, moved, forged, hidden or cut off."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import orjson
import sqlalchemy as sa
from pydantic import ValidationError

from osler.errors import IntegrityError
from osler.ledger.chain import GENESIS, LINK_FIELDS, Entry, entry_hash
from osler.ledger.heads import GONE, Head, genuine, read_last
from osler.ledger.merkle import Tree
from osler.ledger.tables import WITH_PAYLOAD, entries_table, opened
from osler.ledger.vault import Ring, Vault, key_id, signed

ERASURES = ("erasure", "retention")  # kinds of entries that say which payloads were destroyed
CUT = "the tail was cut"


class Broken(NamedTuple):
    seq: int
    id: str | None
    why: str


class Verification(NamedTuple):
    """`broken` is the first entry that fails, null if the chain is whole. `erased`: payloads that were destroyed, each
    named by an erasure in the chain. `anchored`: size of the largest head kept elsewhere that was checked."""

    entries: int
    erased: int
    head: str
    broken: Broken | None
    anchored: int | None = None


def verify(connection: sa.Connection, vault: Vault, head_file: Path, anchors: Sequence[Head]) -> Verification:
    """See `Ledger.verify`."""
    seq, previous, erased, tree = 0, GENESIS, 0, Tree()
    lost: dict[str, int] = {}  # payloads that can't be read, until an erasure names them
    heads = sorted(anchors, key=lambda head: head.size)
    unsigned: Entry | None = None

    def result(at: int, id: str | None, why: str | None) -> Verification:
        broken = Broken(at, id, why) if why else None
        return Verification(seq, erased, previous, broken, max((one.size for one in anchors), default=None))

    beside = _beside(head_file, vault)  # before the rows: others go on appending
    rows = connection.execute(WITH_PAYLOAD.order_by(entries_table.c.seq))
    vault.refresh()  # after the rows were fixed: whoever signed them is among the keys
    ring, ours = vault.ring, {vault.ring.public, *(one.previous for one in vault.ring.certificates)}
    for row in rows:
        seq += 1
        try:
            entry = Entry(**{name: row._mapping[name] for name in Entry.model_fields})
            why = _fault(entry, seq, previous, ring)
            content = None if why else opened(row, vault)
        except ValidationError:
            return result(seq, str(row.id), "the row is not an entry")
        except IntegrityError as error:
            why = error.message
        if why is None:
            tree.add(bytes.fromhex(entry.hash))
            while heads and heads[0].size <= seq and why is None:
                why = _foreign(heads.pop(0), tree, ours)
        if why:
            return result(seq, entry.id, why)
        if content is None:
            lost[entry.id] = seq
            erased += 1
        elif entry.kind in ERASURES:
            for named in orjson.loads(content[1]).get("destroyed", ()):
                lost.pop(named["id"], None)
        unsigned, previous = (None if entry.signature else entry), entry.hash
    if unsigned:
        return result(seq, unsigned.id, "no signature follows it: the end of its batch was cut off")
    if lost:
        id, at = min(lost.items(), key=lambda item: item[1])
        return result(at, id, "its content can't be read, and no erasure in the chain names it")
    if heads:
        return result(seq + 1, None, f"the chain ends at {seq}, a head kept elsewhere at {heads[0].size}: {CUT}")
    return result(*_end(seq, connection, beside))


def _fault(entry: Entry, seq: int, previous: str, ring: Ring) -> str | None:
    if entry.seq != seq:
        return f"entry {seq} is missing"
    if entry.previous != previous:
        return "the link to the entry before is broken"
    if entry_hash(*(getattr(entry, name) for name in LINK_FIELDS)) != entry.hash:
        return "the entry was changed"
    public = ring.public_at(seq)
    if entry.key != key_id(public) or (entry.signature and not signed(entry.hash.encode(), entry.signature, public)):
        return "the signature is not this ledger's"
    return None


def _foreign(head: Head, tree: Tree, ours: set[str]) -> str | None:
    """Why a head kept elsewhere is not of this chain, which stands at the head's size."""
    if head.key not in ours or not genuine(head):
        return (
            f"the head kept elsewhere is signed by the key {key_id(head.key)}: this is another ledger, or its keys are"
        )
    if head.root != tree.root() or head.size != tree.size:
        return f"the head kept elsewhere on {head.time} is of another history"
    return None


def _beside(path: Path, vault: Vault) -> tuple[int, str] | str:
    """The number and hash of the entry that was last written, or what is wrong with the file that says it."""
    try:
        return read_last(path, vault)
    except IntegrityError as error:
        return error.message


def _end(seq: int, connection: sa.Connection, beside: tuple[int, str] | str) -> tuple[int, str | None, str | None]:
    """Where and why the end of the chain is wrong, if it is."""
    if isinstance(beside, str):
        return seq, None, beside if seq or beside != GONE else None
    last, hash = beside
    if last > seq:
        return seq + 1, None, f"the chain ends at {seq}, the head beside it at {last}: {CUT}"
    there = connection.execute(
        sa.select(entries_table.c.id, entries_table.c.hash).where(entries_table.c.seq == last)
    ).first()
    changed = there is not None and there.hash != hash
    return last, there.id if there else None, "the head beside the database names another hash" if changed else None
