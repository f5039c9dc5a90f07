"""Facts of the graph in sentences for a reader: findings, what tells a disease apart, its place, genes and drugs.

Each sentence is worded from rows of the graph and cites them.
"""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

from osler.education.explaining.readability import syllables
from osler.education.patient.records import own_words
from osler.education.quiz.material import FREQUENT, USUAL, Material, Sign, profiles
from osler.education.quiz.pictures import neighbours
from osler.education.quiz.words import capital, listed
from osler.knowledge.drugs.interactions import SEVERITIES, in_force
from osler.knowledge.drugs.names import load_classes, tokens
from osler.knowledge.graph import Node
from osler.knowledge.graph.nouns import HIERARCHY
from osler.nouns import Evidence, Source
from osler.reasoning.verify.lexicon import stem, weight
from osler.text import Language, words

PLAN: dict[str, Any] = tomllib.loads((files(__package__) / "plan.toml").read_text("utf-8"))
Said = tuple[str, list[str]]  # a sentence, and the ids of what it cites
LEAST = {"patient": FREQUENT, "student": FREQUENT, "resident": 0.05, "specialist": 0.0}  # share of patients
FELT, CHUNK = 6, 3  # findings told to a patient, and in a sentence
TELLING, APART, OTHERS = 6, 3, 3  # findings, findings of each side, and diseases beside
LISTED = 10
PLAINER = 0.15  # rarity that a syllable more is worth, where names are compared


class Facts(NamedTuple):
    """The rows of one home in the words that suit a level."""

    level: str
    language: Language
    material: Material

    @property
    def words(self) -> dict[str, Any]:
        found: dict[str, Any] = PLAN["facts"][self.language]
        return found

    def name(self, sign: Sign) -> str:
        """A finding as the reader would call it: for a patient by its plainest name."""
        if self.level != "patient" or self.language == "zh":
            return sign.text
        return own_words(sign.code) or min((sign.text, *self.material.names_of(sign.code)), key=_hardness).lower()

    def several(self, names: Sequence[str]) -> str:
        """Names as one phrase, cut where they are too many."""
        most = CHUNK if self.level == "patient" else LISTED
        over = len(names) - most
        kept = [*names[:most], self.words["more"].format(count=over)] if over > 0 else names
        return listed(kept, self.language)

    def say(self, form: str, **values: str) -> str:
        return str(self.words[form]).format(**values, Name=capital(values.get("name", "")))

    def rows(self, disease: str, signs: Iterable[Sign]) -> list[str]:
        return self.material.row(disease, "has_phenotype", [sign.code for sign in signs])


def _hardness(name: str) -> float:
    """How hard a name is for a lay reader: its rarest word in the shipped texts, and its length."""
    said = words(name)
    return rarity(name) + PLAINER * max((syllables(word) for word in said), default=0) + 0.02 * len(said)


def rarity(name: str) -> float:
    """What its rarest word weighs: 0.3 (in every text) to 1.4."""
    return max((weight(stem(word)) for word in words(name)), default=0.0)


def signs(node: Node, facts: Facts) -> Iterator[Said]:
    """What is found, as the level counts it: by most and some, by kind, by frequency, or by share."""
    told = [
        sign
        for sign in facts.material.signs(node.id)
        if sign.share >= LEAST[facts.level] and not facts.material.kin(sign.code, node.id)
    ]
    name = facts.material.name(node.id)
    if facts.level == "patient":
        felt = [sign for sign in told if sign.kind == "symptom"]
        felt = (felt if len(felt) > CHUNK else [*felt, *(sign for sign in told if sign.kind == "sign")])[:FELT]
        often, seldom = ([sign for sign in felt if (sign.share >= USUAL) is usual] for usual in (True, False))
        for form, group in (("most", often), ("some", seldom)):
            for at in range(0, len(group), CHUNK):
                some = group[at : at + CHUNK]
                names = list(dict.fromkeys(facts.name(sign) for sign in some))
                yield facts.say(form, name=name, list=listed(names, facts.language)), facts.rows(node.id, some)
        return
    for kind, called in facts.words["kinds"].items():
        group = [sign for sign in told if sign.kind == kind][:LISTED]
        if group:
            names = [_counted(node.id, sign, facts) for sign in group]
            yield facts.say("kind", kind=called, list=listed(names, facts.language)), facts.rows(node.id, group)


def _counted(disease: str, sign: Sign, facts: Facts) -> str:
    """A finding with how often it is: in words, for a specialist as the source counted it, if it did."""
    if facts.level == "student":
        return facts.name(sign)
    often = facts.material.often(disease, sign.code)
    rows = facts.material.graph.edges(disease, "has_phenotype")
    counted = [row.frequency_text for row in rows if row.object == sign.code and row.frequency == sign.share]
    exact = next((text for text in counted if text and not text.startswith("HP:")), None)
    return facts.say("often", name=facts.name(sign), often=exact or often if facts.level == "specialist" else often)


def apart(node: Node, facts: Facts) -> Iterator[Said]:
    """Against each neighbour, what is usual in the one and not described in the other."""
    material = facts.material
    for other in neighbours(node.id, material)[:OTHERS]:
        mine = [sign for sign in material.usual(node.id) if material.lacks(other, sign.code)][:APART]
        back = [sign for sign in material.usual(other) if material.lacks(node.id, sign.code)][:APART]
        if mine and back:
            text = facts.say(
                "apart", name=material.name(node.id), other=material.name(other),
                list=facts.several([sign.text for sign in mine]), back=facts.several([sign.text for sign in back]),
            )  # fmt: skip
            yield text, [*facts.rows(node.id, mine), *facts.rows(other, back)]


def telling(node: Node, facts: Facts) -> Iterator[Said]:
    """The findings that few other diseases have."""
    material = facts.material
    own = [sign for sign in material.signs(node.id) if not material.kin(sign.code, node.id)]
    best = sorted(own, key=lambda sign: (-material.information(sign.code), sign.code))[:TELLING]
    if best:
        yield facts.say("telling", list=facts.several([sign.text for sign in best])), facts.rows(node.id, best)


def place(node: Node, facts: Facts) -> Iterator[Said]:
    """What it is a kind of, and what else it is called."""
    yield from _linked(node, facts, "place", HIERARCHY)
    if node.synonyms and facts.language == "en":
        also = Evidence(
            id=f"names:{node.id}", kind="edge", text=f"{node.label}: {'; '.join(node.synonyms)}",
            source=Source(title=node.id),
        )  # fmt: skip
        yield facts.say("also", list=facts.several(node.synonyms)), [facts.material.run.cite(also)]


def sorts(node: Node, facts: Facts) -> Iterator[Said]:
    """What is a kind of it."""
    yield from _linked(node, facts, "includes", HIERARCHY, backwards=True)


def genetics(node: Node, facts: Facts) -> Iterator[Said]:
    """Genes and modes of inheritance."""
    yield from _linked(node, facts, "genetics", ("gene_associated",))
    yield from _linked(node, facts, "inheritance", ("has_inheritance",))


def drugs(node: Node, facts: Facts) -> Iterator[Said]:
    """The drugs that treat it or relieve its symptoms."""
    yield from _linked(node, facts, "drugs", ("treats",), backwards=True)
    yield from _linked(node, facts, "relief", ("symptomatic_for",), backwards=True)


def classes(node: Node, facts: Facts) -> Iterator[Said]:
    """The classes of a drug."""
    yield from _linked(node, facts, "classes", ("member_of_class",))


def uses(node: Node, facts: Facts) -> Iterator[Said]:
    """What a drug treats."""
    yield from _linked(node, facts, "uses", ("treats",))


def diseases(node: Node, facts: Facts) -> Iterator[Said]:
    """Common diseases in which a finding is usual, those with the highest share first."""
    edges = facts.material.graph.edges(node.id, "has_phenotype", "in")
    usual = [edge for edge in edges if edge.subject in profiles() and (edge.frequency or 0) >= USUAL]
    shown = sorted({e.subject: e for e in usual}.values(), key=lambda e: (-(e.frequency or 0), e.subject))[:LISTED]
    names = [facts.material.name(edge.subject) for edge in shown if facts.material.named(edge.subject)]
    if names:
        cited = [id for edge in shown for id in facts.material.row(edge.subject, "has_phenotype", [node.id])]
        yield facts.say("diseases", name=facts.material.name(node.id), list=listed(names, facts.language)), cited


def together(node: Node, facts: Facts) -> Iterator[Said]:
    """Interactions of a drug, the most severe first."""
    graph, mine = facts.material.graph, tokens(node.id, load_classes())
    pairs = in_force(facts.material.run.settings).pairs
    found = [row for sides, rows in pairs.items() if sides & mine for row in rows]
    for row in sorted(found, key=lambda row: (SEVERITIES.index(row.severity), row.id))[:LISTED]:
        other = row.b if row.a in mine else row.a
        known = graph.find(other)
        label = known.label if known else other.partition(":")[2]
        text = f"{capital(label)} ({row.severity}): {row.mechanism}. {row.management}."
        source = Source(title=row.source, year=row.year)
        yield text, [facts.material.run.cite(Evidence(id=row.id, kind="edge", text=text, source=source))]


def _linked(node: Node, facts: Facts, form: str, relations: tuple[str, ...], backwards: bool = False) -> Iterator[Said]:
    """One sentence that lists what rows of some relations link a node with."""
    material = facts.material
    edges = material.graph.edges(node.id, relations, "in" if backwards else "out")
    ends = dict.fromkeys(edge.subject if backwards else edge.object for edge in edges)
    named = [end for end in ends if material.named(end)][: 2 * LISTED]
    if named:
        rows = [material.row(end, relations, [node.id]) for end in named] if backwards else []
        cited = [id for row in rows for id in row] or material.row(node.id, relations, named)
        text = facts.several([material.name(end) for end in named])
        yield facts.say(form, name=material.name(node.id), list=text), cited


FACTS: dict[str, Callable[[Node, Facts], Iterator[Said]]] = {
    "signs": signs, "apart": apart, "telling": telling, "place": place, "sorts": sorts, "genetics": genetics,
    "drugs": drugs, "classes": classes, "uses": uses, "diseases": diseases, "together": together,
}  # fmt: skip
