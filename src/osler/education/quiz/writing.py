"""`write_quiz`: items on a topic, each with a checked key, distractors kept apart from the truth, and no known flaw.

An item that can't be mended is dropped, and so fewer may come back than were asked for.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

from osler.clinic.desk import Desk
from osler.education.quiz import pictures, relations
from osler.education.quiz.flaws import find_flaws
from osler.education.quiz.material import Draft, Material, Option
from osler.education.quiz.rewording import reworded
from osler.education.quiz.topics import Topic, find_topic
from osler.education.quiz.words import WORDS, people
from osler.nouns import Choice, Evidence, Noun, QuizItem, dump
from osler.reasoning.resources import Run
from osler.text import Language, has_chinese

Kind = Literal["single-best", "true-false", "key-feature", "short-answer"]
Level = Literal["remember", "understand", "apply", "analyse"]
Difficulty = Literal["easy", "medium", "hard"]
KINDS: tuple[Kind, ...] = ("single-best", "true-false", "key-feature", "short-answer")
LEVELS: tuple[Level, ...] = ("remember", "understand", "apply", "analyse")
DIFFICULTIES: tuple[Difficulty, ...] = ("easy", "medium", "hard")
DISTRACTORS = 3
LEAST = {"apart": 2, "next": 2}  # distractors that do where three are not to be had
SAID = ("treatment",)  # families whose key a passage must speak of beside the row
TRIED = 20  # drafts for each item wanted, before fewer are given
CONSIDERED = 10  # distractors in order of nearness, of which a difficulty takes a stretch
FAMILIES = {
    "vignette": pictures.vignettes,
    "typical": pictures.typical,
    "apart": pictures.apart,
    "next": pictures.next_step,
    "treatment": relations.treatment,
    "gene": relations.gene,
    "inheritance": relations.inheritance,
}


class Wish(NamedTuple):
    """What is asked for. `kind` and `level` None: whatever the topic gives."""

    n: int = 10
    kind: Kind | None = None
    level: Level | None = None
    difficulty: Difficulty = "medium"


class Quiz(Noun):
    """Items on a topic with the evidence that they cite. `asked`: how many were wanted; fewer come where the knowledge
    gives no more that are sound. `compared`: whether near-duplicates of the bench's test sets were looked for."""

    topic: str
    asked: int
    items: list[QuizItem]
    evidence: list[Evidence]
    compared: bool = False
    trace_id: str | None = None


Known = Callable[[str], bool]


def make_quiz(topic: str, desk: Desk, wish: Wish, language: Language | None = None, known: Known | None = None) -> Quiz:
    """A quiz made at a desk: it is in the ledger, and can be replayed, before it is handed over."""
    run = Run(desk.resources, "quiz")
    quiz = quiz_on(topic, run, wish, language, known)
    desk.keep("quiz", {"topic": topic, "wish": wish._asdict(), "language": language}, dump(quiz), run.trace("quiz"))
    return quiz


def quiz_on(topic: str, run: Run, wish: Wish, language: Language | None = None, known: Known | None = None) -> Quiz:
    """The items of `write_quiz` with what they cite; nothing else stays cited in the run."""
    items = write_quiz(topic, run, wish, language, known)
    run.evidence = {id: run.evidence[id] for id in dict.fromkeys(one for item in items for one in item.evidence)}
    cited = list(run.evidence.values())
    return Quiz(
        topic=topic, asked=wish.n, items=items, evidence=cited, compared=known is not None, trace_id=run.id
    )  # fmt: skip


def write_quiz(
    topic: str, run: Run, wish: Wish, language: Language | None = None, known: Known | None = None
) -> list[QuizItem]:
    """At most `wish.n` items on a topic; their evidence is cited in the run.

    `language` None: that of the topic. `known` says whether a text is nearly one of a test set, which is refused.
    Raises InputError for a topic that neither the graph nor the library knows.
    """
    language = language or ("zh" if has_chinese(topic) else "en")
    material = Material(run, language)
    about, made = find_topic(topic, material), dict[str, QuizItem]()
    for draft, kind in itertools.islice(_drafts(about, wish, material), TRIED + TRIED * wish.n):
        item = _item(draft, kind, about.text, wish.difficulty, material, true=len(made) % 2 == 0)
        said = " ".join([item.stem, *(choice.text for choice in item.options)]) if item else ""
        if item is not None and not (known and known(said)):
            made.setdefault(item.id, item)
        if len(made) >= wish.n:
            break
    return list(made.values())


def _drafts(topic: Topic, wish: Wish, material: Material) -> Iterator[tuple[Draft, Kind]]:
    """Drafts that fit the wish, one of each family in turn, each family going through the diseases of a ring."""
    wanted = {name: rules for name, rules in WORDS["families"].items() if wish.level in (None, rules["level"])}
    kinds = {name: _kind(rules["kinds"], wish.kind) for name, rules in wanted.items()}
    families = [family for name, family in FAMILIES.items() if kinds.get(name) is not None]
    for ring in topic.rings:
        streams = [_in_turn([family(disease, material) for disease in ring]) for family in families]
        if ring is topic.rings[0]:
            streams.append(_in_turn([relations.drug_class(heading, material) for heading in topic.classes]))
            streams.append(relations.definitions(topic.terms, material))
        for draft in itertools.chain.from_iterable(itertools.zip_longest(*streams)):
            if draft is not None and (kind := kinds.get(draft.family)) is not None:
                yield draft, kind


def _in_turn(waiting: list[Iterator[Draft]]) -> Iterator[Draft]:
    """The first draft of each, then the second of each, and so on."""
    while waiting:
        left = []
        for drafts in waiting:
            draft = next(drafts, None)
            if draft is not None:
                left.append(drafts)
                yield draft
        waiting = left


def _kind(possible: Sequence[Kind], wanted: Kind | None) -> Kind | None:
    """The kind a family is asked in; without a wish, the first that it can."""
    if wanted is None:
        return possible[0]
    return wanted if wanted in possible else None


def _item(
    draft: Draft, kind: Kind, topic: str, difficulty: Difficulty, material: Material, true: bool
) -> QuizItem | None:
    """The draft as an item of a kind without a known flaw; None if its key fails or too few distractors hold."""
    rules, said = WORDS["families"][draft.family], people(material.language)
    forms: dict[str, str] = rules[material.language]
    if not _key_holds(draft, material):
        return None
    draft = reworded(draft, material)
    if kind == "short-answer":
        options = [draft.key]
        stem = forms["open"].format(**draft.values)
    elif kind == "true-false":
        shown = draft.key if true else next(_sound(draft, difficulty, material), None)
        if shown is None:
            return None
        stem = forms["statement"].format(**{**draft.values, "Option": shown.text, "option": _small(shown, material)})
        why = said["so" if true else "because"].format(why=shown.why)
        options = [Option(said["true"], why, shown.evidence), Option(said["false"], why, shown.evidence)]
    else:
        stem = forms["stem"].format(**draft.values)
        options = _chosen(draft, stem, difficulty, material)
        if len(options) <= LEAST.get(draft.family, DISTRACTORS):
            return None
    right = options[0 if true or kind != "true-false" else 1]
    options = options if kind == "true-false" else sorted(options, key=lambda option: option.text.casefold())
    texts = [option.text for option in options]
    alone = kind in ("true-false", "short-answer")  # no key among options that could be guessed from them
    found = find_flaws(stem, texts, None if alone else options.index(right))
    if [flaw for flaw in found if flaw != "no question" or kind != "true-false"]:
        return None
    choices = [
        Choice(text=option.text, correct=option is right, why=option.why, evidence=option.evidence)
        for option in options
    ]
    evidence = list(dict.fromkeys([*draft.evidence, *(one for option in options for one in option.evidence)]))
    accepted = list(dict.fromkeys([draft.key.text, *draft.accepted])) if kind == "short-answer" else []
    digest = hashlib.sha256("\n".join([kind, stem, *texts]).encode()).hexdigest()[:12]
    return QuizItem(
        id=f"q-{digest}", kind=kind, stem=stem, options=choices, accepted=accepted, topic=topic, level=rules["level"],
        difficulty=difficulty, language=material.language, evidence=evidence,
    )  # fmt: skip


def _key_holds(draft: Draft, material: Material) -> bool:
    """Whether no passage contradicts the key; the best that speaks of it joins its evidence."""
    key = draft.key
    if not key.claim:
        return True
    passages = material.told_together(key)
    if passages:
        key.evidence = [*key.evidence, material.run.cite(passages[0])]
    told = bool(passages) or draft.family not in SAID
    return told and material.verdict(key.claim, passages) != "contradicted"


def _sound(draft: Draft, difficulty: Difficulty, material: Material) -> Iterator[Option]:
    """Distractors in the order of a difficulty, without those that the library may hold for true."""
    near = draft.others[:CONSIDERED]
    start = {"hard": 0, "medium": min(2, max(0, len(near) - DISTRACTORS)), "easy": max(0, len(near) - DISTRACTORS)}
    for option in [*near[start[difficulty] :], *reversed(near[: start[difficulty]])]:
        if not material.told_together(option):
            yield option


def _chosen(draft: Draft, stem: str, difficulty: Difficulty, material: Material) -> list[Option]:
    """The key and the distractors that make no flaw beside it."""
    options = [draft.key]
    for option in _sound(draft, difficulty, material):
        if find_flaws(stem, [one.text for one in (*options, option)], 0) or option.text in [o.text for o in options]:
            continue
        options.append(option)
        if len(options) > DISTRACTORS:
            break
    return options


def _small(option: Option, material: Material) -> str:
    return material.name(option.about) if material.graph.find(option.about) else option.text
