"""Signed heads of the chain and proofs under them, checked on any machine with a public key. It knows no database."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from pydantic import ValidationError

from osler.errors import InputError, IntegrityError
from osler.ledger.chain import LINK_FIELDS, Entry, canonical, commit, entry_hash, now
from osler.ledger.merkle import Tree, consistency, consistent, includes, path
from osler.ledger.vault import Certificate, Vault, certified, key_id, signed
from osler.nouns import Noun, dump

N = TypeVar("N", bound=Noun)
GONE = "the head file is gone"


class Head(Noun):
    """The chain as it stood: its first and last entry's hash, the root over all, signed. `key`: public, hexadecimal."""

    ledger: str
    size: int
    root: str
    last: str
    time: str
    key: str
    signature: str


class Content(Noun):
    """What an entry holds, with the salt that opens its commitment."""

    salt: str
    payload: dict[str, Any]


class Proof(Noun):
    """That an entry is in the chain under a head. `consistency`: from a head kept elsewhere to this one."""

    what: Literal["osler ledger proof"] = "osler ledger proof"
    entry: Entry
    path: list[str]
    head: Head
    certificates: list[Certificate] = []
    consistency: list[str] | None = None
    content: Content | None = None


class Checked(NamedTuple):
    """`trusted`: the signing key follows from one that the checker knew already, not only from the proof itself."""

    valid: bool
    trusted: bool
    entry: str
    size: int
    time: str
    key: str
    why: str | None


def make_head(vault: Vault, hashes: Sequence[str]) -> Head:
    """Of the chain of entries with these hashes."""
    said = {
        "ledger": hashes[0],
        "size": len(hashes),
        "root": Tree(map(bytes.fromhex, hashes)).root(),
        "last": hashes[-1],
    }
    said |= {"time": now(), "key": vault.ring.public}
    return Head(**said, signature=vault.sign(_signed_part(said)))


def make_proof(
    vault: Vault, entry: Entry, hashes: Sequence[str], anchor: Head | None, opened: tuple[bytes, bytes] | None
) -> Proof:
    """`opened`: salt and content, if they are to be shown. Raises InputError for a head that is not of this chain."""
    if anchor and not 1 <= anchor.size <= len(hashes):
        raise InputError(f"the head is of {anchor.size} entries, the chain has {len(hashes)}")
    contents = [bytes.fromhex(one) for one in hashes]
    return Proof(
        entry=entry,
        path=path(contents, entry.seq - 1),
        head=make_head(vault, hashes),
        certificates=list(vault.ring.certificates),
        consistency=consistency(contents, anchor.size) if anchor else None,
        content=Content(salt=opened[0].hex(), payload=json.loads(opened[1])) if opened else None,
    )


def genuine(head: Head) -> bool:
    """Whether the head is signed by the key it names."""
    return signed(_signed_part(dump(head)), head.signature, head.key)


def _signed_part(head: dict[str, Any]) -> bytes:
    fields = {name: head[name] for name in ("ledger", "size", "root", "last", "time", "key")}
    return canonical({"what": "osler ledger head", **fields})


def put_head(to: Path, head: Head) -> None:
    """Add a head to a file of heads; it is on disk on return."""
    try:
        with to.open("a", encoding="utf-8") as file:
            file.write(json.dumps(dump(head)) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InputError(f"the head can't be written: {error.strerror}", where=str(to)) from None


def read_heads(path: Path) -> list[Head]:
    """The heads of a file, oldest first. Raises InputError naming the line that is none."""
    lines = _text(path).splitlines() or [""]
    return [_parsed(Head, line, f"{path}, line {number}") for number, line in enumerate(lines, 1)]


def read_proof(path: Path) -> Proof:
    return _parsed(Proof, _text(path), str(path))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the file can't be read: {error}", where=str(path)) from None


def _parsed(noun: type[N], text: str, where: str) -> N:
    try:
        return noun.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        said = f"not a ledger's {noun.__name__.lower()}: {'.'.join(map(str, first['loc']))} {first['msg']}"
        raise InputError(said, where=where) from None


def check(proof: Proof, key: str | None = None, anchor: Head | None = None) -> Checked:
    """Check a proof by itself, and against what the checker knows: the ledger's public key, or a head kept earlier."""
    head, known = proof.head, anchor.key if anchor else key
    try:
        why = _fault(proof, known, anchor)
    except ValueError:
        why = "a hash or key in it is not hexadecimal"
    return Checked(why is None, known is not None, proof.entry.id, head.size, head.time, head.key, why)


def _fault(proof: Proof, known: str | None, anchor: Head | None) -> str | None:
    entry, head, content = proof.entry, proof.head, proof.content
    if entry_hash(*(getattr(entry, name) for name in LINK_FIELDS)) != entry.hash:
        return "the entry was changed"
    if not includes(head.root, head.size, entry.seq - 1, bytes.fromhex(entry.hash), proof.path):
        return "the entry is not under the head"
    if not genuine(head):
        return "the head is not signed by the key it names"
    if known is not None and not _follows(known, head.key, proof.certificates):
        return f"the head is signed by the key {key_id(head.key)}, which does not follow from the known key"
    if anchor and not genuine(anchor):
        return "the head kept elsewhere is not signed by the key it names"
    if anchor and (
        anchor.ledger != head.ledger
        or not consistent(anchor.root, anchor.size, head.root, head.size, proof.consistency or [])
    ):
        return "the head kept elsewhere is not the beginning of this chain"
    if content and commit(canonical(content.payload), bytes.fromhex(content.salt)) != entry.commitment:
        return "the content is not what the entry is committed to"
    return None


def _follows(known: str, key: str, certificates: Sequence[Certificate]) -> bool:
    """Whether each key signed its successor, from the known one to this one."""
    for one in certificates:
        if one.previous == known and known != key and signed(certified(dump(one)), one.signature, known):
            known = one.public
    return known == key


def keep_last(path: Path, seq: int, hash: str, signature: str) -> None:
    """Write the last entry's hash and signature beside the database. It may lag, never lead or go back."""
    try:
        kept = json.loads(path.read_text())
        if kept["seq"] >= seq:
            return
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, TypeError):
        return  # a damaged head is left as it is for `verify` to report; the append itself is on disk
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps({"seq": seq, "hash": hash, "signature": signature}))
    os.replace(draft, path)


def read_last(path: Path, vault: Vault) -> tuple[int, str]:
    """The number and hash of the entry last written. Raises IntegrityError for a file that is gone or not ours."""
    try:
        kept = json.loads(path.read_text())
        seq, hash, signature = int(kept["seq"]), str(kept["hash"]), str(kept["signature"])
    except FileNotFoundError:
        raise IntegrityError(GONE, where=str(path)) from None
    except (OSError, ValueError, KeyError, TypeError):
        raise IntegrityError("the head file is damaged", where=str(path)) from None
    vault.refresh()  # after reading: whoever signed it is among the keys
    if not vault.signed(hash.encode(), signature):
        raise IntegrityError("the head file is not signed by this ledger", where=str(path))
    return seq, hash
