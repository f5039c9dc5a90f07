"""Imported terms and edges joined to the shipped graph by identifier: what is checked on import, what acts on approval.

The graph in force is one pack: the shipped one, or the shipped one compiled together with the approved imports and
kept in the home under a name that says of what. It does not know who approves (see `knowledge.sources`).
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from osler import __version__
from osler.errors import InputError
from osler.knowledge.graph.compile import Builder, Term, unpack, write
from osler.knowledge.graph.exchange import Reading, read_source
from osler.knowledge.graph.names import key
from osler.knowledge.graph.nouns import FLAG_OBSOLETE, HIERARCHY
from osler.knowledge.graph.store import Pack
from osler.knowledge.sources import Conflict, ImportedSource, Report, Sources
from osler.ledger import canonical
from osler.settings import Settings

Differs = Callable[[str, str, str, Iterable[str]], None]  # reports a conflict
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
    said = source.model_dump(include={"name", "version", "licence", "attribution"})
    return {**said, "sha256": hashlib.sha256(canonical(source.files)).hexdigest()}


def _merge(base: Builder, reading: Reading, kind: str | None) -> Report:
    """Put what was read into `base`, joined by identifier and by cross-reference; what came of it."""
    conflicts: list[Conflict] = []
    counts: Counter[str] = Counter(terms=len(reading.terms), edges=len(reading.edges))
    claimed: dict[str, set[str]] = defaultdict(set)  # known terms, and which imported ones point at them
    for identifier, term in reading.terms.items():
        for other in filter(None, map(base.resolve, term.xrefs)):
            claimed[other].add(identifier)

    def differs(identifier: str, what: str, imported: str, known: Iterable[str]) -> None:
        conflicts.append(Conflict(id=identifier, what=what, imported=imported, known=", ".join(sorted(known))))

    for identifier, term in reading.terms.items():
        if term.flag & FLAG_OBSOLETE and identifier in reading.alias:
            continue
        known = base.resolve(identifier)
        same = {found for found in map(base.resolve, term.xrefs) if found and term.kind in ("", base.terms[found].kind)}
        if known is None and len(same) > 1:
            differs(identifier, "cross-references", term.label, same)
        elif known is None and same:
            (other,) = same
            if claimed[other] == {identifier}:
                known = other
                base.alias[identifier] = (known, "equivalent")
                counts["terms joined by cross-reference"] += 1
            else:
                differs(identifier, "cross-reference shared", other, claimed[other] - {identifier})
        if known is not None:
            counts["known terms"] += 1
            _join(base.terms[known], identifier, term, differs)
        elif chosen := term.kind or kind:
            base.terms[identifier] = replace(term, kind=chosen)
            counts["new terms"] += 1
        else:
            reading.leave(term.where, f"{identifier}: its kind is not said; --kind names one")
    for alias, (target, how) in reading.alias.items():
        if base.resolve(alias) is None and (known := base.resolve(target)):
            base.alias[alias] = (known, how)
    _merge_edges(base, reading, counts, differs)
    return Report(counts=dict(counts), conflicts=conflicts, unused=reading.unused)


def _join(here: Term, identifier: str, term: Term, differs: Differs) -> None:
    """Give a known term the names that an imported one has for it."""
    if term.kind not in ("", here.kind):
        differs(identifier, "kind", term.kind, [here.kind])
    names = {key(here.label), *(key(name) for name, _ in here.names)}
    if term.label != identifier and key(term.label) not in names:
        differs(identifier, "label", term.label, [here.label])
        here.add(term.label, "related")
    for (name, language), how in term.names.items():
        here.add(name, how, language)


def _merge_edges(base: Builder, reading: Reading, counts: Counter[str], differs: Differs) -> None:
    above: dict[str | None, set[str | None]] = defaultdict(set)
    said: set[tuple[str | None, str, str | None]] = set()
    subjects = {base.resolve(edge.subject) for edge in reading.edges}
    for edge in base.edges:
        subject, target = base.resolve(edge.subject), base.resolve(edge.object)
        if edge.relation in HIERARCHY:
            above[subject].add(target)
        elif subject in subjects:
            said.add((subject, edge.relation, target))
    for edge in reading.edges:
        subject, target = base.resolve(edge.subject), base.resolve(edge.object)
        place = f"{edge.subject} {edge.relation} {edge.object}"
        if subject is None or target is None:
            unknown = edge.subject if subject is None else edge.object
            reading.leave(place, f"dangling: nothing is known of {unknown}")
            counts["dangling edges"] += 1
        elif subject == target or (edge.relation in HIERARCHY and _reaches(above, target, subject)):
            reading.leave(place, "it would close a circle")
            counts["edges that close a circle"] += 1
        else:
            opposite = _OPPOSITE.get(edge.relation, "")
            if (subject, opposite, target) in said:
                differs(subject, target, edge.relation, [opposite])
            if edge.relation in HIERARCHY:
                above[subject].add(target)
            base.edges.append(edge)
            counts["edges taken"] += 1


def _reaches(above: Mapping[str | None, set[str | None]], start: str, goal: str) -> bool:
    seen: set[str | None] = set()
    front: set[str | None] = {start}
    while front and goal not in seen:
        seen |= front
        front = {upper for node in front for upper in above.get(node, ())} - seen
    return goal in seen
