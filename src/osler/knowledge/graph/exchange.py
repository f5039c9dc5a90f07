"""Reading what others publish or a hospital keeps: KGX node and edge tables (TSV) and OBO ontologies.

A reader collects terms and edges in the source's own identifiers and lists what it could not use with its line; what
the graph already knows of them is not its concern. KGX: the Biolink community's exchange format. OBO: flat file 1.4.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from osler.errors import InputError
from osler.knowledge.graph.compile import Builder, EdgeRow, frequency_number
from osler.knowledge.graph.nouns import FLAG_OBSOLETE, VOCABULARY
from osler.knowledge.sources import Unused

_CURIE = re.compile(r"[A-Za-z][\w.]*:\S+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(?: (EXACT|RELATED|BROAD|NARROW)(?: ([\w:]+))?)?')


class Reading(Builder):
    """Terms and edges in the source's identifiers, and what could not be used."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.unused: list[Unused] = []

    def leave(self, where: str, why: str) -> None:
        self.unused.append(Unused(where=where, why=why))


Fields = dict[str, list[str]]  # of a stanza, as written


def read_source(paths: list[Path], name: str) -> Reading:
    """All files of one source: `.obo`, or KGX `.tsv` with an `id` or a `subject` column; folders are searched.

    Raises InputError naming the file for one that is neither, can't be read or has no table or term at all.
    """
    reading, given = Reading(name), ", ".join(str(path) for path in paths)
    files = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    readers = {".obo": _read_obo, ".tsv": _read_kgx}
    taken = [file for file in files if file.suffix.lower() in readers]
    if not taken:
        raise InputError("no OBO file (.obo) and no KGX table (.tsv) is there.", where=given)
    for file in taken:
        readers[file.suffix.lower()](file, reading)
    if not reading.terms and not reading.edges:
        raise InputError("nothing in it could be used.", where=given)
    return reading


def curie(identifier: str) -> str:
    """The identifier with the prefix this graph writes: `Orphanet:558` is `ORPHA:558`."""
    prefix, _, rest = identifier.partition(":")
    return f"{VOCABULARY['prefixes'].get(prefix, prefix)}:{rest}"


# --- KGX ------------------------------------------------------------------------------------------------------


def _read_kgx(file: Path, reading: Reading) -> None:
    lines = _lines(file)
    header = lines[0].rstrip("\n").split("\t") if lines else []
    edges = {"subject", "predicate", "object"} <= set(header)
    if not edges and "id" not in header:
        raise InputError("neither a KGX node table (id, category, name) nor an edge table.", where=f"{file}:1")
    for number, line in enumerate(lines[1:], start=2):
        values, where = [value.strip() for value in line.rstrip("\n").split("\t")], f"{file}:{number}"
        if not line.strip():
            continue
        if len(values) != len(header):
            reading.leave(where, f"{len(values)} columns where the header has {len(header)}")
            continue
        row = defaultdict(str, zip(header, values, strict=True))
        try:
            _edge(row, reading) if edges else _node(row, where, reading)
        except ValueError as why:
            reading.leave(where, str(why))


def _node(row: dict[str, str], where: str, reading: Reading) -> None:
    """Take a node in; raises ValueError saying why it can't be."""
    if not _CURIE.fullmatch(row["id"]):
        raise ValueError(f"{row['id']!r} is not a CURIE")
    categories = [item.rpartition(":")[2] for item in _many(row["category"])]
    kinds = [VOCABULARY["categories"][item] for item in categories if item in VOCABULARY["categories"]]
    if not kinds and categories and categories != ["NamedThing"]:
        raise ValueError(f"category {', '.join(categories)} has no place in the graph")
    term = reading.term(curie(row["id"]), row["name"] or row["id"], kinds[0] if kinds else "")
    term.where, term.definition = where, row["description"]
    if row["deprecated"].lower() == "true":
        term.flag |= FLAG_OBSOLETE
    for synonym in _many(row["synonym"]):
        term.add(synonym, "exact")
    term.xrefs = [curie(item) for item in _many(row["xref"] or row["same_as"])]


def _edge(row: dict[str, str], reading: Reading) -> None:
    """Take an edge in; raises ValueError saying why it can't be."""
    written = VOCABULARY["predicates"].get(row["predicate"].rpartition(":")[2])
    if written is None:
        raise ValueError(f"predicate {row['predicate']!r} has no place in the graph")
    if not (_CURIE.fullmatch(row["subject"]) and _CURIE.fullmatch(row["object"])):
        raise ValueError("subject or object is not a CURIE")
    subject, target = curie(row["subject"]), curie(row["object"])
    if written.startswith("^"):
        subject, target = target, subject
    relation = written.removeprefix("^")
    if row["negated"].lower() == "true":
        if relation != "has_phenotype":
            raise ValueError("a negated edge is known only of phenotypes")
        relation = "not_has_phenotype"
    reference = ";".join(_many(row["publications"])) or row["primary_knowledge_source"]
    reading.edges.append(EdgeRow(subject, relation, target, reading.name, _frequency(row), reference, subject))


def _frequency(row: dict[str, str]) -> str:
    """As HPO writes it (`3/7`, `45%`, a frequency term), empty if none is given. Raises ValueError if it is none."""
    text = row["frequency_qualifier"]
    if row["has_count"] and row["has_total"]:
        text = f"{row['has_count']}/{row['has_total']}"
    elif row["has_percentage"]:
        text = f"{row['has_percentage'].rstrip('%')}%"
    try:
        usable = not text or 0 <= frequency_number(text) <= 1
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("its frequency can't be read")
    return text


def _many(text: str) -> list[str]:
    return [item.strip() for item in text.split("|") if item.strip()]


# --- OBO ------------------------------------------------------------------------------------------------------


def obo_terms(file: Path) -> Iterator[tuple[int, Fields]]:
    """Every [Term], its line and its fields as written, without trailing comments of identifiers."""
    fields: Fields | None = None
    begun = 0
    for number, line in enumerate([*_lines(file), "[end]"], start=1):
        text = line.strip()
        if text.startswith("["):
            if fields is not None:
                yield begun, fields
            begun, fields = number, defaultdict(list) if text == "[Term]" else None
        elif fields is not None and text and not text.startswith("!"):
            field, _, value = text.partition(": ")
            fields[field].append(value)


def _read_obo(file: Path, reading: Reading) -> None:
    seen = False
    for line, fields in obo_terms(file):
        seen, where = True, f"{file}:{line}"
        written, label = fields["id"][:1], fields["name"][:1]
        if not written or not _CURIE.fullmatch(written[0]):
            reading.leave(where, "a term without an id that is a CURIE")
            continue
        identifier = curie(written[0])
        kind = VOCABULARY["kind_of_prefix"].get(identifier.partition(":")[0], "")
        term = reading.term(identifier, _unescaped(label[0]) if label else identifier, kind)
        term.where, term.definition = where, definition(fields)
        for synonym, scope in synonyms(fields):
            term.add(synonym, scope)
        term.xrefs = [curie(value.split(" ")[0]) for value in fields["xref"]]
        parents = [curie(value.split(" ")[0]) for value in fields["is_a"]]
        reading.edges += [EdgeRow(identifier, "is_a", p, reading.name, stated_for=identifier) for p in parents]
        for other in fields["alt_id"]:
            reading.alias.setdefault(curie(other), (identifier, "replaced"))
        if fields["is_obsolete"][:1] == ["true"]:
            term.flag |= FLAG_OBSOLETE
            if fields["replaced_by"]:
                reading.alias[identifier] = (curie(fields["replaced_by"][0]), "replaced")
    if not seen:
        raise InputError("no [Term] is in this OBO file.", where=str(file))


def definition(fields: Fields) -> str:
    quoted = _QUOTED.match(fields["def"][0]) if fields["def"] else None
    return _unescaped(quoted[1]) if quoted else ""


def synonyms(fields: Fields) -> Iterator[tuple[str, str]]:
    """(name, type) of each synonym; those marked obsolete are left out."""
    for value in fields["synonym"]:
        match = _QUOTED.match(value)
        if match and match[2] and match[3] not in ("obsolete_synonym", "HP:0034334"):
            yield _unescaped(match[1]), "abbreviation" if match[3] == "abbreviation" else match[2].lower()


def _unescaped(text: str) -> str:
    """Without the escapes of OBO 1.4: `\\n`, `\\t` and `\\W` are white space, any other escaped character is itself.
    A name or definition is one line here, so that each run of white space becomes one space."""
    plain = re.sub(r"\\(.)", lambda match: " " if match[1] in "ntW" else match[1], text)
    return " ".join(plain.split())


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(f"can't be read: {error.strerror}", where=str(file)) from None
    except UnicodeDecodeError as error:
        raise InputError(f"the text is not valid UTF-8 at byte {error.start}.", where=str(file)) from None
