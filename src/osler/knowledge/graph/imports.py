"""Imported terms and edges joined to the shipped graph by identifier: what is checked on import, what acts on approval.

The graph in force is one pack: the shipped one, or the shipped one compiled together with the approved imports and
kept in the home under a name that says of what. It does not know who approves (see `knowledge.sources`).
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from osler import __version__
from osler.errors import InputError
from osler.knowledge.graph.compile import Builder, EdgeRow, unpack, write
from osler.knowledge.graph.exchange import Reading, read_source
from osler.knowledge.graph.names import key
from osler.knowledge.graph.nouns import FLAG_OBSOLETE, HIERARCHY
from osler.knowledge.graph.store import Pack
from osler.knowledge.sources import Conflict, ImportedSource, Report, Sources, Unused
from osler.ledger import canonical
from osler.settings import Settings

_OPPOSITE = {"has_phenotype": "not_has_phenotype", "not_has_phenotype": "has_phenotype"}


def shipped_pack() -> Path:
    return Path(str(files("osler.knowledge.graph") / "data" / "graph.pack"))


def check(paths: list[Path], name: str, settings: Settings, kind: str | None = None) -> Report:
    """What an import would add, say differently and leave out; nothing is kept. `kind`: of terms that don't say theirs.

    Raises InputError naming file and line where the source can't be read at all, or for the name of a shipped source,
    whose rows could not be told from the import's.
    """
    if name in {source["name"] for source in Pack(shipped_pack()).header["sources"]}:
        raise InputError(f"{name!r} is the name of a source that is shipped", hint="Give the import another name.")
    return _merge(_base(settings, without=name), read_source(paths, name), kind)


def pack_in_force(settings: Settings) -> Path:
    """The shipped pack, or the one with all approved imports, compiled now if it isn't there (some ten seconds)."""
    sources = Sources(settings)
    acting = sources.acting("graph")
    if not acting:
        return shipped_pack()
    header = Pack(shipped_pack()).header
    named = [__version__, header["format"], header["sources"], [(source.name, source.version) for source in acting]]
    kept = settings.home / "cache" / f"graph-{hashlib.sha256(canonical(named)).hexdigest()[:16]}.pack"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        write(_base(settings), [*header["sources"], *(_info(source) for source in acting)], kept)
    return kept


def _base(settings: Settings, without: str = "") -> Builder:
    """The shipped terms and edges with those of the approved imports, but for the one named."""
    builder, sources = unpack(Pack(shipped_pack())), Sources(settings)
    for source in sources.acting("graph"):
        if source.name != without:
            _merge(builder, read_source(sources.files(source), source.name), source.term_kind)
    return builder


def _info(source: ImportedSource) -> dict[str, str]:
    return {
        "name": source.name,
        "version": source.version,
        "licence": source.licence,
        "attribution": source.attribution,
        "sha256": hashlib.sha256(canonical(source.files)).hexdigest(),
    }


def _merge(base: Builder, reading: Reading, kind: str | None) -> Report:
    """Put what was read into `base`, joined by identifier and by cross-reference; what came of it."""
    counts: Counter[str] = Counter({"terms": len(reading.builder.terms), "edges": len(reading.builder.edges)})
    conflicts, unused = [], list(reading.unused)
    claimed = _claims(base, reading)
    for identifier, term in reading.builder.terms.items():
        if term.flag & FLAG_OBSOLETE and identifier in reading.builder.alias:
            continue
        known = base.resolve(identifier)
        candidates = {base.resolve(other) for other in reading.xrefs.get(identifier, ())} - {None}
        same = [c for c in candidates if c and (identifier in reading.kindless or base.terms[c].kind == term.kind)]
        if known is None and len(same) == 1 and len(claimed[same[0]]) == 1:
            known = same[0]
            base.alias[identifier] = (known, "equivalent")
            counts["terms joined by cross-reference"] += 1
        elif known is None and len(same) > 1:
            conflicts.append(Conflict(id=identifier, what="cross-references", imported=term.label, known=_list(same)))
        elif known is None and len(same) == 1:
            others = _list(claimed[same[0]] - {identifier})
            conflicts.append(Conflict(id=identifier, what="cross-reference shared", imported=same[0], known=others))
        if known is None:
            chosen = kind if identifier in reading.kindless else term.kind
            if chosen is None:
                where = reading.kindless[identifier]
                unused.append(Unused(where=where, why=f"{identifier}: its kind is not said; --kind names one"))
                continue
            term.kind = chosen
            base.terms[identifier] = term
            counts["new terms"] += 1
            continue
        counts["known terms"] += 1
        here = base.terms[known]
        if identifier not in reading.kindless and here.kind != term.kind:
            conflicts.append(Conflict(id=identifier, what="kind", imported=term.kind, known=here.kind))
        names = {key(here.label), *(key(name) for name, _ in here.names)}
        if term.label != identifier and key(term.label) not in names:
            conflicts.append(Conflict(id=identifier, what="label", imported=term.label, known=here.label))
            here.add(term.label, "related")
        for (name, language), how in term.names.items():
            here.add(name, how, language)
    for other, (target, how) in reading.builder.alias.items():
        if base.resolve(other) is None and base.resolve(target) is not None:
            base.alias[other] = (str(base.resolve(target)), how)
    _merge_edges(base, reading, counts, conflicts, unused)
    return Report(counts=dict(counts), conflicts=conflicts, unused=unused)


def _claims(base: Builder, reading: Reading) -> dict[str, set[str]]:
    """Which imported terms point by cross-reference at each known one."""
    claimed: dict[str, set[str]] = defaultdict(set)
    for identifier, others in reading.xrefs.items():
        for other in others:
            if target := base.resolve(other):
                claimed[target].add(identifier)
    return claimed


def _merge_edges(
    base: Builder, reading: Reading, counts: Counter[str], conflicts: list[Conflict], unused: list[Unused]
) -> None:
    above: dict[str, set[str]] = defaultdict(set)
    said: dict[tuple[str, str], set[str]] = defaultdict(set)
    subjects = {base.resolve(edge.subject) for edge in reading.builder.edges}
    for edge in base.edges:
        if edge.relation in HIERARCHY:
            above[str(base.resolve(edge.subject))].add(str(base.resolve(edge.object)))
        elif edge.relation in _OPPOSITE and base.resolve(edge.subject) in subjects:
            said[str(base.resolve(edge.subject)), str(base.resolve(edge.object))].add(edge.relation)
    for edge in reading.builder.edges:
        subject, target = base.resolve(edge.subject), base.resolve(edge.object)
        place = f"{edge.subject} {edge.relation} {edge.object}"
        if subject is None or target is None:
            unknown = edge.subject if subject is None else edge.object
            unused.append(Unused(where=place, why=f"dangling: nothing is known of {unknown}"))
            counts["dangling edges"] += 1
        elif subject == target or (edge.relation in HIERARCHY and _reaches(above, target, subject)):
            unused.append(Unused(where=place, why="it would close a circle"))
            counts["edges that close a circle"] += 1
        else:
            if _OPPOSITE.get(edge.relation) in said[subject, target]:
                conflicts.append(
                    Conflict(id=subject, what=target, imported=edge.relation, known=_OPPOSITE[edge.relation])
                )
            if edge.relation in HIERARCHY:
                above[subject].add(target)
            base.edges.append(EdgeRow(*edge))
            counts["edges taken"] += 1


def _reaches(above: dict[str, set[str]], start: str, goal: str) -> bool:
    seen, front = {start}, [start]
    while front:
        node = front.pop()
        if node == goal:
            return True
        front += above.get(node, set()) - seen
        seen |= above.get(node, set())
    return False


def _list(items: Iterable[str]) -> str:
    return ", ".join(sorted(items))
