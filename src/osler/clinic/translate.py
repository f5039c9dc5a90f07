"""A note, patient text or report from English to Chinese or back, as far as it can be checked.

Terms by the graph's bilingual names, headings by the templates. A sentence as a whole is only put by a model with the
privilege, and stands only if numbers, units, sides, drugs and findings with their negation are the same on both sides.
It does not polish: what can't be put stays in its own language, with its terms beside it.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from osler.clinic.reports.kinds import Kind
from osler.knowledge.concepts.recogniser import Recogniser
from osler.knowledge.drugs.names import load_names, mentions
from osler.models import Message, Request
from osler.nouns import ModelReference, Noun
from osler.reasoning.commands import without_commands
from osler.reasoning.privilege import CHINESE, withheld
from osler.reasoning.resources import Run
from osler.reasoning.verify.quantities import equal, quantities
from osler.text import Language, has_chinese, sentences

DRUGS = "DRUGBANK:"
LONGEST = 400  # tokens of one sentence's translation
STATUS = {
    "en": {"present": "", "absent": "no ", "uncertain": "possible "},
    "zh": {"present": "", "absent": "无", "uncertain": "可疑"},
}
EXPERIENCER = {
    "en": {"family": " (family)", "other": " (someone else)"},
    "zh": {"family": "（家族）", "other": "（他人）"},
}
NOTICE = {
    "en": "For professional review. {done} of {all} sentences are put whole; of the others the terms are given.",
    "zh": "供专业人员审核。{all} 句中 {done} 句为整句翻译，其余只给出术语。",
}
ASK = {
    "en": "Translate the Chinese sentence of a medical record into English. Keep every number, unit, drug and "
    "negation. Write the translation only.",
    "zh": "把病历中的英文句子译成中文。保留每个数字、单位、药名与否定。只写译文。",
}
_SIDES = {"left": re.compile(r"(?i)\bleft\b|左"), "right": re.compile(r"(?i)\bright\b(?!\s+(?:away|now))|右")}
_BOTH = re.compile(r"(?i)\bbilateral|\bboth\b|双侧|双[肺眼肾手足下上]|两侧")


class Term(Noun):
    """A finding, disease or drug of a sentence: as it stands there, and its name in the other language."""

    text: str
    translated: str
    code: str
    kind: Literal["finding", "drug"]


class Sentence(Noun):
    """`translated` is null where no checked translation is there; `why` then says why."""

    text: str
    heading: bool = False
    translated: str | None = None
    why: str | None = None
    terms: list[Term] = []


class Translation(Noun):
    """The contract of `osler translate --json`."""

    source: Language
    target: Language
    sentences: list[Sentence]
    model: ModelReference | None = None
    withheld: str | None = None
    notice: str
    trace_id: str


class Line(NamedTuple):
    """`other`: the known wording in the target language, of a heading."""

    text: str
    other: str | None = None


def lines_of(content: str, target: Language, kinds: dict[str, Kind]) -> list[Line]:
    """The sentences of a text; of a report as JSON its title, headings and statements, headings by its template."""
    try:
        report: Any = json.loads(content) if content.lstrip().startswith("{") else None
    except ValueError:
        report = None
    if not isinstance(report, dict) or "sections" not in report:
        return [Line(content[start:end]) for start, end in sentences(content)]
    kind = kinds.get(str(report.get("kind")))
    titles = {section.key: section.title[target] for section in kind.sections} if kind else {}
    found = [Line(str(report.get("title", "")), kind.title[target] if kind else None)]
    for part in report["sections"]:
        found.append(Line(str(part["title"]), titles.get(part["key"])))
        found += [Line(str(one["text"])) for one in part["statements"]]
    return [one for one in found if one.text]


def translate(lines: Sequence[Line], target: Language, run: Run) -> Translation:
    """Each line with what could be put and checked."""
    source: Language = "zh" if target == "en" else "en"
    why = withheld(CHINESE, "en", run)
    open_ = [line for line in lines if line.other is None and _foreign(line.text, target)]
    written = dict(zip(open_, _written(open_, target, run), strict=True)) if why is None else {}
    made = [_sentence(line, written.get(line), target, run, why) for line in lines]
    done = sum(one.translated is not None for one in made)
    info = run.resources.model.info if why is None else None
    return Translation(
        source=source,
        target=target,
        sentences=made,
        model=ModelReference(spec=info.spec, digest=info.digest) if info else None,
        withheld=why,
        notice=NOTICE[target].format(done=done, all=len(made)),
        trace_id=run.id,
    )


def differences(text: str, other: str, recogniser: Recogniser) -> list[str]:
    """What one of two sentences says and the other doesn't: numbers, sides, drugs, findings with their status."""
    found = list[str]()
    mine, theirs = quantities(text), quantities(other)
    alone = [one for one in mine if not any(equal(one, two) for two in theirs)]
    alone += [two for two in theirs if not any(equal(one, two) for one in mine)]
    found += [f"number {one.low:g} {one.unit}".strip() for one in alone]
    for side, pattern in _SIDES.items():
        if bool(pattern.search(text)) != bool(pattern.search(other)):
            found.append(f"side {side}")
    if bool(_BOTH.search(text)) != bool(_BOTH.search(other)):
        found.append("both sides")
    for kind, first, second in (
        ("drug", _drugs(text), _drugs(other)),
        ("finding", _findings(text, recogniser), _findings(other, recogniser)),
    ):
        found += [f"{kind} {one}" for one in sorted(set(first) ^ set(second))]
    return found


def _sentence(line: Line, written: str | None, target: Language, run: Run, why: str | None) -> Sentence:
    if line.other is not None:
        return Sentence(text=line.text, heading=True, translated=line.other)
    if not _foreign(line.text, target):
        return Sentence(text=line.text, translated=line.text, why="it stands in that language already")
    terms = _terms(line.text, target, run)
    if written is None:
        return Sentence(text=line.text, why=why or "nothing was written", terms=terms)
    wrong = differences(line.text, written, run.resources.recogniser)
    if not written or _foreign(written, target):
        wrong.append("not in the other language")
    if wrong:
        return Sentence(text=line.text, why=f"taken out, it differs: {', '.join(wrong)}", terms=terms)
    return Sentence(text=line.text, translated=written, terms=terms)


def _terms(text: str, target: Language, run: Run) -> list[Term]:
    graph, found = run.resources.graph, list[Term]()
    for one in run.resources.recogniser.find(text):
        if one.code.startswith(DRUGS) or one.value is not None:  # a value is a number, not a name
            continue
        name = graph.label(one.code, target)
        name = name[:1].lower() + name[1:] if name[1:2].islower() else name
        name = STATUS[target][one.status] + name + EXPERIENCER[target].get(one.experiencer, "")
        found.append(Term(text=one.text, translated=name, code=one.code, kind="finding"))
    chinese = load_names().chinese
    for mention in mentions(text):
        said = text[mention.start : mention.end]
        for drug in mention.drugs:
            name = chinese.get(drug.id, drug.label) if target == "zh" else drug.label
            found.append(Term(text=said, translated=name, code=drug.id, kind="drug"))
    return found


def _written(lines: Sequence[Line], target: Language, run: Run) -> list[str]:
    requests = [
        Request(
            messages=[Message("system", ASK[target]), Message("user", without_commands(line.text))],
            max_tokens=LONGEST,
            seed=run.settings.consult.seed,
        )
        for line in lines
    ]
    return [" ".join(made.text.split()) for made in run.generate(requests)] if requests else []


def _foreign(text: str, target: Language) -> bool:
    """Whether a text is in the other language than the target: with Chinese for English, without for Chinese."""
    return has_chinese(text) == (target == "en") and any(letter.isalpha() for letter in text)


def _drugs(text: str) -> list[str]:
    return [drug.label for mention in mentions(text) for drug in mention.drugs]


def _findings(text: str, recogniser: Recogniser) -> list[str]:
    found = [one for one in recogniser.find(text) if not one.code.startswith(DRUGS)]
    return [f"{one.code} ({one.status}, {one.experiencer})" for one in found]
