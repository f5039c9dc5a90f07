"""Reading what others publish or a hospital keeps: KGX node and edge tables (TSV) and OBO ontologies.

A reader collects terms and edges in the source's own identifiers and lists what it could not use with its line; what
the graph already knows of them is not its concern. KGX: the Biolink community's exchange format. OBO: flat file 1.4.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from osler.errors import InputError
from osler.knowledge.graph.compile import Builder, EdgeRow, frequency_number
from osler.knowledge.graph.nouns import FLAG_OBSOLETE, Kind
from osler.knowledge.sources import Unused

# Biolink categories and predicates that the graph has a place for.
CATEGORIES: dict[str, Kind] = {
    "Disease": "disease",
    "DiseaseOrPhenotypicFeature": "disease",
    "PhenotypicFeature": "phenotype",
    "ClinicalFinding": "phenotype",
    "Gene": "gene",
    "Drug": "drug",
    "SmallMolecule": "drug",
    "ChemicalEntity": "drug",
    "MolecularMixture": "drug",
}
PREDICATES = {
    "subclass_of": "is_a",
    "has_phenotype": "has_phenotype",
    "has_mode_of_inheritance": "has_inheritance",
    "treats": "treats",
    "ameliorates_condition": "symptomatic_for",
    "gene_associated_with_condition": "gene_associated",
    "causes": "gene_associated",
    "contributes_to": "gene_associated",
}
_FROM_GENE = ("gene_associated_with_condition", "causes", "contributes_to")  # the graph's edge points the other way
KIND_OF_PREFIX: dict[str, Kind] = {"HP": "phenotype", "MONDO": "disease", "DOID": "disease", "ORPHA": "disease"}
SPELLED = {"Orphanet": "ORPHA", "ORDO": "ORPHA", "orphanet": "ORPHA", "mesh": "MESH", "MIM": "OMIM"}
SCOPES = {"EXACT": "exact", "RELATED": "related", "BROAD": "broad", "NARROW": "narrow"}
_CURIE = re.compile(r"[A-Za-z][\w.]*:\S+")
_SYNONYM = re.compile(r'"((?:[^"\\]|\\.)*)" (EXACT|RELATED|BROAD|NARROW)(?: ([\w:]+))?')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


class Reading(NamedTuple):
    """`builder` in the source's identifiers; `xrefs`: what else a term is called elsewhere; `kindless`: terms whose
    kind the source doesn't say, with their place."""

    builder: Builder
    xrefs: dict[str, list[str]]
    kindless: dict[str, str]
    unused: list[Unused]


class Stanza(NamedTuple):
    line: int
    fields: dict[str, list[str]]


def read_source(paths: list[Path], name: str) -> Reading:
    """All files of one source: `.obo`, or KGX `.tsv` with an `id` or a `subject` column; folders are searched.

    Raises InputError naming the file for one that is neither, can't be read or has no table or term at all.
    """
    reading = Reading(Builder(), {}, {}, [])
    files = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    taken = [file for file in files if file.suffix.lower() in (".obo", ".tsv")]
    if not taken:
        given = ", ".join(str(path) for path in paths)
        raise InputError("no OBO file (.obo) and no KGX table (.tsv) is there.", where=given)
    for file in taken:
        if file.suffix.lower() == ".obo":
            _read_obo(file, name, reading)
        else:
            _read_kgx(file, name, reading)
    if not reading.builder.terms and not reading.builder.edges:
        raise InputError("nothing in it could be used.", where=", ".join(str(path) for path in paths))
    return reading


def curie(identifier: str) -> str:
    """The identifier with the prefix this graph writes: `Orphanet:558` is `ORPHA:558`."""
    prefix, _, rest = identifier.partition(":")
    return f"{SPELLED.get(prefix, prefix)}:{rest}"


# --- KGX ------------------------------------------------------------------------------------------------------


def _read_kgx(file: Path, name: str, reading: Reading) -> None:
    lines = _lines(file)
    header = lines[0].rstrip("\n").split("\t") if lines else []
    edges = {"subject", "predicate", "object"} <= set(header)
    if not edges and "id" not in header:
        raise InputError("neither a KGX node table (id, category, name) nor an edge table.", where=f"{file}:1")
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        values = line.rstrip("\n").split("\t")
        where = f"{file}:{number}"
        if len(values) != len(header):
            reading.unused.append(Unused(where=where, why=f"{len(values)} columns where the header has {len(header)}"))
            continue
        row = dict(zip(header, (value.strip() for value in values), strict=True))
        why = _edge(row, name, reading) if edges else _node(row, where, reading)
        if why:
            reading.unused.append(Unused(where=where, why=why))


def _node(row: dict[str, str], where: str, reading: Reading) -> str | None:
    """Take a node in; why it can't be, otherwise."""
    if not _CURIE.fullmatch(row["id"]):
        return f"{row['id']!r} is not a CURIE"
    identifier, label = curie(row["id"]), row.get("name") or row["id"]
    categories = [item.rpartition(":")[2] for item in _many(row.get("category", ""))]
    kind = next((CATEGORIES[item] for item in categories if item in CATEGORIES), None)
    if kind is None and categories and categories != ["NamedThing"]:
        return f"category {', '.join(categories)} has no place in the graph"
    term = reading.builder.term(identifier, label, kind or "heading")
    if kind is None:
        reading.kindless[identifier] = where
    term.definition = row.get("description", "")
    if row.get("deprecated", "").lower() == "true":
        term.flag |= FLAG_OBSOLETE
    for synonym in _many(row.get("synonym", "")):
        term.add(synonym, "exact")
    reading.xrefs[identifier] = [curie(item) for item in _many(row.get("xref", "") or row.get("same_as", ""))]
    return None


def _edge(row: dict[str, str], name: str, reading: Reading) -> str | None:
    predicate = row["predicate"].rpartition(":")[2]
    relation = PREDICATES.get(predicate)
    if relation is None:
        return f"predicate {row['predicate']!r} has no place in the graph"
    if not (_CURIE.fullmatch(row["subject"]) and _CURIE.fullmatch(row["object"])):
        return "subject or object is not a CURIE"
    if row.get("negated", "").lower() == "true":
        if relation != "has_phenotype":
            return "a negated edge is known only of phenotypes"
        relation = "not_has_phenotype"
    ends = (curie(row["subject"]), curie(row["object"]))
    subject, target = reversed(ends) if predicate in _FROM_GENE else ends
    frequency = _frequency(row)
    if frequency is None:
        return "its frequency can't be read"
    reference = ";".join(_many(row.get("publications", ""))) or row.get("primary_knowledge_source", "")
    edge = EdgeRow(subject, relation, target, name, frequency, reference, stated_for=subject)
    reading.builder.edges.append(edge)
    return None


def _frequency(row: dict[str, str]) -> str | None:
    """As HPO writes it (`3/7`, `45%`, a frequency term), empty if none is given; None if it is no frequency."""
    if row.get("has_count") and row.get("has_total"):
        text = f"{row['has_count']}/{row['has_total']}"
    elif row.get("has_percentage"):
        text = f"{row['has_percentage'].rstrip('%')}%"
    else:
        text = row.get("frequency_qualifier", "")
    try:
        share = frequency_number(text)
    except ValueError:
        return None
    return text if not text or 0 <= share <= 1 else None


def _many(text: str) -> list[str]:
    return [item.strip() for item in text.split("|") if item.strip()]


# --- OBO ------------------------------------------------------------------------------------------------------


def obo_terms(file: Path) -> Iterator[Stanza]:
    """Every [Term] with its fields as written, without trailing comments of identifiers."""
    stanza: Stanza | None = None
    for number, line in enumerate(_lines(file), start=1):
        text = line.strip()
        if text.startswith("["):
            if stanza is not None:
                yield stanza
            stanza = Stanza(number, defaultdict(list)) if text == "[Term]" else None
        elif stanza is not None and text and not text.startswith("!"):
            field, _, value = text.partition(": ")
            stanza.fields[field].append(value)
    if stanza is not None:
        yield stanza


def _read_obo(file: Path, name: str, reading: Reading) -> None:
    builder, seen = reading.builder, False
    for line, fields in obo_terms(file):
        seen, where = True, f"{file}:{line}"
        written, label = fields["id"][:1], fields["name"][:1]
        if not written or not _CURIE.fullmatch(written[0]):
            reading.unused.append(Unused(where=where, why="a term without an id that is a CURIE"))
            continue
        identifier = curie(written[0])
        kind = KIND_OF_PREFIX.get(identifier.partition(":")[0])
        if kind is None:
            reading.kindless[identifier] = where
        term = builder.term(identifier, _unescaped(label[0]) if label else identifier, kind or "heading")
        term.definition = definition(fields)
        for synonym, scope in synonyms(fields):
            term.add(synonym, scope)
        reading.xrefs[identifier] = [curie(value.split(" ")[0]) for value in fields["xref"]]
        for parent in fields["is_a"]:
            edge = EdgeRow(identifier, "is_a", curie(parent.split(" ")[0]), name, stated_for=identifier)
            builder.edges.append(edge)
        for other in fields["alt_id"]:
            builder.alias.setdefault(curie(other), (identifier, "replaced"))
        if fields["is_obsolete"][:1] == ["true"]:
            term.flag |= FLAG_OBSOLETE
            if fields["replaced_by"]:
                builder.alias[identifier] = (curie(fields["replaced_by"][0]), "replaced")
    if not seen:
        raise InputError("no [Term] is in this OBO file.", where=str(file))


def definition(fields: dict[str, list[str]]) -> str:
    quoted = _QUOTED.match(fields["def"][0]) if fields["def"] else None
    return _unescaped(quoted[1]) if quoted else ""


def synonyms(fields: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """(name, type) of each synonym; those marked obsolete are left out."""
    for value in fields["synonym"]:
        match = _SYNONYM.match(value)
        if match and match[3] not in ("obsolete_synonym", "HP:0034334"):
            yield _unescaped(match[1]), "abbreviation" if match[3] == "abbreviation" else SCOPES[match[2]]


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
