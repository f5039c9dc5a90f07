"""Reads one patient's record (note, FHIR, phenopacket, dialogue) into a Case that says what it could not read.

`read` takes a file or bytes, `read_text` a text. The kind is found by content unless it is named.
"""

import hashlib
from pathlib import Path

from osler.errors import InputError
from osler.record.case import Case, CaseKind
from osler.record.source import decode, load, parse, shape_of, unpack

__all__ = ["Case", "CaseKind", "read", "read_text"]
_PHENOPACKET = frozenset(
    "subject phenotypicFeatures phenotypic_features metaData meta_data proband members".split()
)  # one of these is in any


def read(source: str | Path | bytes, kind: CaseKind | None = None, name: str | None = None) -> Case:
    """The Case of a file (`-`: standard input) or of bytes; gzip is unpacked. `name` stands in errors for bytes.

    `Case.digest` is the SHA-256 of the unpacked bytes. Raises InputError naming the file and the place in it for
    everything that can't be read; what is left out of a readable input stands in `Case.unread`.
    """
    # The readers are imported where they are used: each input needs one of them.
    if name is None:
        name = "standard input" if isinstance(source, bytes) or str(source) == "-" else str(source)
    data = unpack(source, name) if isinstance(source, bytes) else load(source)
    text, digest = decode(data, name), hashlib.sha256(data).hexdigest()
    shape = shape_of(text, name) if kind in (None, "fhir", "phenopacket") else "text"
    if shape == "text":
        return _read_prose(text, digest, kind, name)
    data = text.lstrip("\ufeff").encode()
    if kind == "phenopacket" or (kind is None and shape == "json" and _is_phenopacket(data, name)):
        from osler.record.phenopacket import read_phenopacket

        return read_phenopacket(data, digest, name)
    from osler.record.fhir import read_fhir

    return read_fhir(data, digest, name, shape)


def read_text(text: str, kind: CaseKind | None = None, name: str = "text") -> Case:
    """The Case of a text; `Case.digest` is the SHA-256 of its UTF-8."""
    return read(text.encode("utf-8", "replace"), kind, name)


def _read_prose(text: str, digest: str, kind: CaseKind | None, name: str) -> Case:
    from osler.record.dialogue import is_dialogue, labels_of, read_dialogue
    from osler.record.note import read_note

    if kind in ("fhir", "phenopacket"):
        raise InputError(f"this is text, not {kind} JSON", where=name)
    if kind == "dialogue" and not labels_of(text):
        hint = "Begin each turn with `Doctor:` or `Patient:`."
        raise InputError("no speaker is named in this dialogue", where=name, hint=hint)
    is_spoken = kind == "dialogue" or (kind is None and is_dialogue(text))
    return read_dialogue(text, digest) if is_spoken else read_note(text, digest)


def _is_phenopacket(data: bytes, name: str) -> bool:
    """Whether a JSON input is one, and not FHIR. Raises InputError for JSON that is neither."""
    import msgspec

    if data.lstrip()[:1] == b"[" or b'"resourceType"' in data[:2000]:
        return False
    names = parse(data, name, kind=dict[str, msgspec.Raw]).keys()
    if "resourceType" in names or names & _PHENOPACKET:
        return "resourceType" not in names
    shown = ", ".join(sorted(names)[:6]) or "none"
    raise InputError(
        f"this JSON is neither FHIR nor a phenopacket (its keys: {shown})",
        where=name,
        hint="FHIR has a resourceType; a phenopacket a subject or phenotypicFeatures.",
    )
