"""Items from single rows of the graph and from glossaries: treatment, gene, inheritance, definition.

A distractor is of the key's kind and stands for a disease near by; it is left out where a row links it, or a broader or
narrower thing, with what is asked of.
"""

from collections.abc import Iterator, Sequence

from osler.education.quiz.material import Draft, Material, Option, profiles
from osler.education.quiz.pictures import neighbours
from osler.education.quiz.topics import Term
from osler.education.quiz.words import WORDS, capital
from osler.knowledge.graph import Edge
from osler.knowledge.graph.nouns import HIERARCHY

TREATS = ("treats", "symptomatic_for")
NEAR = 3  # steps upwards within which diseases count as near
MOST_NEAR = 60
DISTRACTORS = 10
BROAD = 25  # drugs of a class that is too broad to ask of: others may belong to it unrecorded
EACH = 2  # drugs of a class beside
MEANT = 6  # terms nearest in meaning
REPEATED = 3  # items on the drugs of one disease
SAME = 0.95  # cosine from which on two definitions may be of one thing
MOST_USES = 4  # diseases treated; a drug of more uses may well have one more
MODES = {"HP:0000006", "HP:0000007", "HP:0001419", "HP:0001423", "HP:0001427"}  # none is a kind of another


def treatment(disease: str, material: Material) -> Iterator[Draft]:
    """A drug for the disease among drugs for its neighbours."""
    edges = [edge for edge in material.graph.edges(disease, "treats", "in") if material.named(edge.subject)]
    edges = [edge for edge in edges if _uses(edge.subject, material) <= MOST_USES]
    for edge in edges[:REPEATED]:
        yield from _linked("treatment", disease, edge, material)


def gene(disease: str, material: Material) -> Iterator[Draft]:
    """The gene of the disease, if one alone is recorded, among those of its neighbours."""
    edges = material.graph.edges(disease, "gene_associated")
    if mendelian(disease) and len({edge.object for edge in edges}) == 1:
        yield from _linked("gene", disease, edges[0], material)


def _linked(family: str, disease: str, edge: Edge, material: Material) -> Iterator[Draft]:
    words: dict[str, str] = WORDS["families"][family][material.language]
    name, graph = material.name(disease), material.graph
    drugs = family == "treatment"
    relation, own = (TREATS, edge.subject) if drugs else (("gene_associated",), edge.object)
    mine = _at(disease, relation, material)
    related = {disease, *graph.ancestors(disease)}
    barred = {thing for d in related for thing in _at(d, relation, material)} | mine
    classes = {c for thing in mine for c in _classes(thing, material)} if drugs else set()
    others: list[Option] = []
    differential = [d for d in neighbours(disease, material) if _at(d, relation[:1], material)] if drugs else []
    for neighbour in dict.fromkeys([*differential, *near(disease, relation, material)]):
        if material.kin(neighbour, disease) or not material.named(neighbour):
            continue
        for thing in sorted(_at(neighbour, relation[:1], material)):
            barring = thing in barred or not material.named(thing) or bool(_classes(thing, material) & classes)
            barring = barring or (drugs and _uses(thing, material) > MOST_USES)
            if barring or any(thing == option.about for option in others):
                continue
            text = capital(material.name(thing))
            ends = (thing, neighbour) if drugs else (neighbour, thing)
            rows = material.row(ends[0], relation, [ends[1]])
            why = words["wrong"].format(Option=text, name=name, other=material.name(neighbour))
            others.append(_claimed(Option(text, why, rows, thing), family, disease, thing, material))
            break
        if len(others) >= DISTRACTORS:
            break
    ends = (own, disease) if drugs else (disease, own)
    rows = material.row(ends[0], relation, [ends[1]])
    text = capital(material.name(own))
    key = Option(text, words["right"].format(Option=text, name=name), rows, own)
    key = _claimed(key, family, disease, own, material)
    yield Draft(family, f"{disease} {own}", {"name": name}, key, others, rows, material.names_of(own))


def inheritance(disease: str, material: Material) -> Iterator[Draft]:
    """How the disease is inherited, if all its rows agree on one mode."""
    words: dict[str, str] = WORDS["families"]["inheritance"][material.language]
    edges = material.graph.edges(disease, "has_inheritance")
    modes = {edge.object for edge in edges}
    if not material.graph.edges(disease, "gene_associated"):  # an acquired disease, of which a family was described
        return
    if not mendelian(disease) or len(modes) != 1 or not modes <= MODES:
        return
    own, name = next(iter(modes)), material.name(disease)
    said = {code: _mode(code, material) for code in sorted(MODES)}
    others = [
        Option(capital(text), words["wrong"].format(name=name, key=said[own], option=text), [], code)
        for code, text in said.items()
        if code != own
    ]
    rows = material.row(disease, "has_inheritance", [own])
    for option in others:
        option.evidence = rows
    key = Option(capital(said[own]), words["right"].format(name=name, option=said[own]), rows, own)
    yield Draft("inheritance", disease, {"name": name, "key": said[own]}, key, others, rows, material.names_of(own))


def drug_class(heading: str, material: Material) -> Iterator[Draft]:
    """A drug of the class among drugs of the classes beside it."""
    words: dict[str, str] = WORDS["families"]["class"][material.language]
    graph, name = material.graph, material.name(heading)
    mine = {drug for one in _below(heading, material) for drug in _members(one, material)}
    beside = [e.subject for up in graph.edges(heading, "broader") for e in graph.edges(up.object, "broader", "in")]
    others: list[Option] = []
    for neighbour in dict.fromkeys(one for one in beside if one != heading):
        for drug in [drug for drug in _members(neighbour, material) if drug not in mine][:EACH]:
            text = capital(material.name(drug))
            rows = material.row(drug, "member_of_class", [neighbour])
            why = words["wrong"].format(Option=text, name=name, other=material.name(neighbour))
            option = Option(text, why, rows, drug)
            others.append(_claimed(option, "class", heading, drug, material))
    for own in _members(heading, material)[: REPEATED if len(mine) <= BROAD else 0]:
        text, rows = capital(material.name(own)), material.row(own, "member_of_class", [heading])
        key = Option(text, words["right"].format(Option=text, name=name), rows, own)
        if not material.gives_away(heading, text):
            yield Draft("class", f"{heading} {own}", {"name": name}, key, others[:DISTRACTORS], rows)


def _members(heading: str, material: Material) -> list[str]:
    """Drugs of a class that a learner may know: those with a use on record."""
    found = [edge.subject for edge in material.graph.edges(heading, "member_of_class", "in")]
    return [drug for drug in found if material.named(drug) and _uses(drug, material)]


def _below(heading: str, material: Material) -> list[str]:
    found = [heading]
    for one in found:
        found += [e.subject for e in material.graph.edges(one, "broader", "in") if e.subject not in found]
    return found


def definitions(terms: Sequence[Term], material: Material) -> Iterator[Draft]:
    """The term that a glossary of the library defines so, among those whose definitions are nearest in meaning."""
    if not terms:
        return
    words: dict[str, str] = WORDS["families"]["definition"][material.language]
    vectors = material.run.resources.embedder.embed_passages([f"{term.name}: {term.definition}" for term in terms])
    for place, term in enumerate(terms):
        likeness = vectors @ vectors[place]
        ranked = [terms[n] for n in (-likeness).argsort(kind="stable").tolist() if n != place and likeness[n] < SAME]
        others = [
            Option(
                capital(other.name),
                words["wrong"].format(Option=capital(other.name), definition=other.definition),
                [material.run.cite(other.passage)],
                other.name,
            )
            for other in ranked[:MEANT]
        ]
        rows = [material.run.cite(term.passage)]
        key = Option(capital(term.name), words["right"].format(option=term.name), rows, term.name)
        names = [part.strip(" )") for part in term.name.split("(")]
        yield Draft("definition", term.name, {"definition": term.definition}, key, others, rows, names)


def near(disease: str, relation: Sequence[str], material: Material) -> list[str]:
    """Diseases that share a broader term with this one and have such rows, the nearest first."""
    graph, seen, found = material.graph, {disease}, []
    above = [disease]
    for _ in range(NEAR):
        above = list(dict.fromkeys(e.object for node in above for e in graph.edges(node, HIERARCHY) if e.object))
        below = [node for node in above if node not in seen]
        for _ in range(NEAR):
            below = [e.subject for node in below[:MOST_NEAR] for e in graph.edges(node, HIERARCHY, "in")]
            below = [node for node in dict.fromkeys(below) if node not in seen]
            seen.update(below)
            found += [node for node in below if _at(node, relation, material)]
        if len(found) > MOST_NEAR:
            break
    return found[:MOST_NEAR]


def _at(disease: str, relation: Sequence[str], material: Material) -> set[str]:
    """What rows of the relation link with a disease: the drugs that treat it, or its genes."""
    inward = relation[0] in TREATS
    edges = material.graph.edges(disease, relation, "in" if inward else "out")
    return {edge.subject if inward else edge.object for edge in edges}


def _uses(drug: str, material: Material) -> int:
    return len(material.graph.edges(drug, TREATS))


def mendelian(disease: str) -> bool:
    """Whether a gene or a mode of inheritance says how a disease comes about: not for the common ones, where it is one
    susceptibility of many."""
    profile = profiles().get(disease)
    return profile is None or profile.frequency == "rare"


def _classes(thing: str, material: Material) -> set[str]:
    return {edge.object for edge in material.graph.edges(thing, "member_of_class")}


def _mode(code: str, material: Material) -> str:
    return material.name(code).removesuffix(" inheritance")


def _claimed(option: Option, family: str, disease: str, thing: str, material: Material) -> Option:
    """The option with the claim that its being right would make."""
    english = WORDS["families"][family]["en"]["statement"]
    label = material.graph.label(thing)
    option.claim = english.format(Option=label, option=label, name=material.graph.label(disease))
    option.names = (disease, thing)
    return option
