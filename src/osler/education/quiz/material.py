"""What items are made of: names, what is written of each disease's findings, and the passages that say it.

An item speaks of findings only by curated rows (the project's profiles, the HPO's annotations); whether a disease lacks
a finding is asked of every row, text-mined ones too.
"""

import csv
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import NamedTuple

from osler.education.quiz.flaws import roots
from osler.education.quiz.words import capital, in_sentence, people
from osler.knowledge.diagnosis import load_ranker
from osler.knowledge.diagnosis.profiles import Profile, load_profiles
from osler.knowledge.diagnosis.questions import question_kind
from osler.knowledge.graph import Edge, load_graph
from osler.nouns import Evidence, Source
from osler.reasoning.graph_context import sentence
from osler.reasoning.judging import judge
from osler.reasoning.resources import Run
from osler.text import Language

CURATED = ("osler_profiles", "hpoa")
USUAL, VERY_FREQUENT, FREQUENT = 0.5, 0.8, 0.3  # shares of patients
UNHEARD = 0.03  # share up to which a finding counts as lacking
TELLING = 2.0  # nats; broader findings neither tell diseases apart nor stand for a narrower one
GENERAL = 0.015  # share of common diseases with a finding from which on it may come with anything
READ = 6  # passages looked at for a pair of names
UNSAID = {"HP:0032316"}  # family history, of nothing in particular
TITLES = {"osler_profiles": "Osler profile", "hpoa": "HPO annotations", "indications": "Indications", "mesh": "MeSH"}
KINDS = {"history": "symptom", "examination": "sign", "test": "test"}
FINDINGS = ("phenotype", "modifier")


class Sign(NamedTuple):
    """A finding of a disease. `kind`: symptom, history, sign, laboratory, imaging or
    test; `share`: of its patients."""

    code: str
    kind: str
    share: float
    text: str


@dataclass(slots=True)
class Option:
    """A text that may stand among the options, why it is right or wrong, and what says so. `about`: its identifier in
    the graph; `claim`: an English sentence, true only if it is right, and `names` the two things it links."""

    text: str
    why: str
    evidence: list[str]
    about: str = ""
    claim: str = ""
    names: tuple[str, str] = ("", "")


@dataclass(slots=True)
class Draft:
    """An item before its options are chosen: `others` are wrong, the nearest to the key first."""

    family: str
    subject: str
    values: dict[str, str]
    key: Option
    others: list[Option]
    evidence: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)


class Material:
    """The knowledge of one home, as items in a language speak of it; what they use is cited in the run."""

    def __init__(self, run: Run, language: Language) -> None:
        self.run, self.language = run, language
        self.graph, self.ranker = run.resources.graph, load_ranker()
        self._signs: dict[str, list[Sign]] = {}
        self._names: dict[str, set[str]] = {}

    # -- names

    def named(self, identifier: str) -> bool:
        """Whether there is a name in the language, and of more than a susceptibility."""
        node = self.graph.node(identifier)
        return "susceptibility" not in node.label and (self.language == "en" or bool(node.label_zh))

    def name(self, identifier: str) -> str:
        label = self.graph.label(identifier, self.language)
        kind = self.graph.node(identifier).kind
        return label if kind == "heading" or self.language == "zh" else in_sentence(label, kind in FINDINGS)

    def kin(self, a: str, b: str) -> bool:
        """Whether one is the other, a kind of it, or called by the same words."""
        return bool(self._called(a) & self._called(b)) or self.graph.descends(a, b) or self.graph.descends(b, a)

    def _called(self, identifier: str) -> set[str]:
        if identifier not in self._names:
            self._names[identifier] = {" ".join(sorted(roots(name))) for name in self.names_of(identifier)} - {""}
        return self._names[identifier]

    def names_of(self, identifier: str) -> list[str]:
        node = self.graph.node(identifier)
        return [node.label, *node.synonyms]

    def gives_away(self, disease: str, code: str, text: str = "") -> bool:
        """Whether a finding is called as the disease is, or holds, as labelled or worded, a word of its names."""
        if self.kin(disease, code):
            return True
        said = f"{self.graph.label(code)} {text}"
        if roots(said) & roots(" ".join(self.names_of(disease))):
            return True
        return self.language == "zh" and bool(roots(self.name(code)) & roots(self.name(disease)))

    # -- findings

    def signs(self, disease: str) -> list[Sign]:
        """Findings of a disease that can be named in the language, by falling share."""
        if disease not in self._signs:
            found: dict[str, Sign] = {}
            source = CURATED[disease not in profiles()]
            for edge in self.graph.edges(disease, "has_phenotype"):
                if (
                    edge.source != source
                    or edge.frequency is None
                    or edge.object in UNSAID
                    or not self.named(edge.object)
                ):
                    continue
                kind, text = _wording().get((disease, edge.object), ("", ""))
                kind = kind or KINDS[question_kind(self.graph, edge.object)]
                text = text if text and self.language == "en" else self.name(edge.object)
                if edge.object not in found or edge.frequency > found[edge.object].share:
                    found[edge.object] = Sign(edge.object, kind, edge.frequency, text)
            self._signs[disease] = sorted(found.values(), key=lambda sign: (-sign.share, sign.code))
        return self._signs[disease]

    def usual(self, disease: str) -> list[Sign]:
        """Findings in half of its patients or more that are telling and don't give its name away, best first."""
        found = [
            sign
            for sign in self.signs(disease)
            if sign.share >= USUAL
            and self.information(sign.code) >= TELLING
            and not self.gives_away(disease, sign.code, sign.text)
        ]
        return sorted(found, key=lambda sign: (-sign.share * self.information(sign.code), sign.code))

    def information(self, code: str) -> float:
        at = self.graph.position(code)
        return 0.0 if at is None else float(self.ranker.index.background.information()[at])

    def share(self, disease: str, code: str) -> float:
        """Share of its patients with a finding or a narrower one, by every row; 0 where no row says so."""
        at, place, matrix = self.graph.position(code), self.ranker.place.get(disease), self.ranker.index.matrix
        if at is None or place is None:
            return 0.0
        shares = matrix.carried_share[matrix.carried.span(at)][matrix.carried.of(at) == place]
        return float(shares.max()) if len(shares) else 0.0

    def lacks(self, disease: str, code: str) -> bool:
        """Whether a finding would surprise in a disease: no row gives it the finding, a narrower one, or a broader one
        that tells something, and the finding is not one that comes with many diseases."""
        if disease not in self.ranker.place or self.share(disease, code) > UNHEARD or self.general(code):
            return False
        told = {edge.object for edge in self.graph.edges(disease, "has_phenotype") if (edge.frequency or 1) > UNHEARD}
        above = (self.graph.ids[at] for at in self.ranker.index.ancestors.of(int(self.graph.position(code) or 0)))
        return not any(broader in told and self.information(broader) >= TELLING for broader in above)

    def general(self, code: str) -> bool:
        """Whether more than a few of the common diseases have a finding."""
        at, matrix = self.graph.position(code), self.ranker.index.matrix
        if at is None:
            return True
        having = {self.ranker.disease_ids[place] for place in matrix.carried.of(at).tolist()}
        return len(having & profiles().keys()) > GENERAL * len(profiles())

    def often(self, disease: str, code: str) -> str:
        """How frequent a finding is in a disease, in words."""
        share, said = self.share(disease, code), people(self.language)
        if share <= UNHEARD:
            return str(said["rare"])
        return str(said["often"][(share >= FREQUENT) + (share >= VERY_FREQUENT)])

    def option(self, code: str, why: str, evidence: list[str], text: str = "") -> Option:
        return Option(capital(text or self.name(code)), why, evidence, code)

    # -- evidence

    def row(self, subject: str, relation: str | Iterable[str], objects: Sequence[str]) -> list[str]:
        """Ids of the rows that link a subject with objects, cited; curated ones before others."""
        found: dict[str, Edge] = {}
        for edge in self.graph.edges(subject, relation):
            if edge.object in objects and (edge.object not in found or edge.source in CURATED):
                found[edge.object] = edge
        return [self.run.cite(self._evidence(edge)) for edge in found.values()]

    def _evidence(self, edge: Edge) -> Evidence:
        title = f"{TITLES.get(edge.source, edge.source)}: {self.graph.label(edge.subject, self.language)}"
        source = Source(title=title, document_id=edge.reference)
        text = sentence(edge, self.run, self.language)
        return Evidence(id=f"edge:{edge.subject}|{edge.relation}|{edge.object}", kind="edge", text=text, source=source)

    def told_together(self, option: Option) -> list[Evidence]:
        """Passages that name both things an option links, the first in its title or the text, best first."""
        if not option.claim:
            return []
        first, second = map(self.names_of, option.names)
        return [
            passage
            for passage in self.run.search(option.claim, READ)
            if _says(f"{passage.source.title} {passage.text}", first) and _says(passage.text, second)
        ]

    def verdict(self, claim: str, passages: Sequence[Evidence]) -> str:
        return judge(claim, passages, self.run) if passages else "unsupported"


def _says(text: str, names: Sequence[str]) -> bool:
    padded = f" {text.lower()} "
    return any(name.lower() in padded for name in names if len(name) > 2)


@functools.cache
def profiles() -> dict[str, Profile]:
    """The profiles of common diseases by their identifier in the graph."""
    graph = load_graph()
    known = ((graph.canonical(profile.id), profile) for profile in load_profiles())
    return {identifier: profile for identifier, profile in known if identifier}


@functools.cache
def _wording() -> dict[tuple[str, str], tuple[str, str]]:
    """(disease, finding) -> kind and wording of the finding in a profile."""
    by_label = {profile.label: identifier for identifier, profile in profiles().items()}
    lines = (files("osler.knowledge.graph") / "profiles" / "findings.tsv").read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    return {(by_label.get(row["disease"], ""), row["hpo"]): (row["kind"], row["finding"]) for row in rows}
