"""A privileged model's wording of a section, sentence by sentence from its facts, and what the check takes out.

A sentence stays if its facts support it and if it names no number, side, drug or finding that they don't. What must not
be dropped and no sentence kept is put back in the record's words.
"""

import re
from collections.abc import Sequence

from osler.clinic.reports.facts import WORDS
from osler.clinic.reports.report import Part, Removed
from osler.knowledge.drugs.names import mentions
from osler.nouns import Evidence, Statement
from osler.reasoning.cited import cited_request, parsed
from osler.reasoning.resources import Run
from osler.reasoning.verify import verify
from osler.text import Language, numbers

SIDES = re.compile(r"(?i)\b(?:left|right|bilateral|both)\W+\w+|[左右双]\w")  # with what it is the side of
COVERED = 0.9  # share of a sentence's content that must stand in its sources: a report rearranges, it doesn't reword
READ = 12  # statements that a model words at once; a longer section stays as it is
KIND = {"number": "a number", "side": "a side", "drug": "a drug", "finding": "a finding"}


def written(parts: Sequence[Part], report: str, run: Run, language: Language) -> tuple[list[Part], list[Removed]]:
    """The parts as the model words them, and the sentences that were taken out."""
    worded = [part for part in parts if 1 < len(part.statements) <= READ]
    known = {part.key: [run.evidence[id] for one in part.statements for id in one.evidence] for part in worded}
    requests = []
    for part in worded:
        asked = WORDS[language]["ask"].format(title=part.title, report=report)
        requests.append(cited_request(asked, known[part.key], language, run.settings.consult.seed))
    replies = dict(zip((part.key for part in worded), run.generate(requests), strict=True)) if requests else {}
    made, removed = [], list[Removed]()
    for part in parts:
        if part.key not in replies:
            made.append(part)
            continue
        kept = list[Statement]()
        for item in parsed(replies[part.key].text).get("statements", []):
            cited = [known[part.key][number - 1] for number in dict.fromkeys(item["passages"])]
            text = item["text"].strip()
            if why := refused(text, cited, run):
                removed.append(Removed(text=text, why=why))
            else:
                ids = [one.id for one in cited]
                kept.append(Statement(text=text, evidence=ids, verdict="supported", section=part.key))
        told = {id for one in kept for id in one.evidence}
        left = [one for one in part.statements if not told.intersection(one.evidence)]
        made.append(part.model_copy(update={"statements": [*kept, *left]}))
    return made, removed


def refused(text: str, cited: Sequence[Evidence], run: Run) -> str | None:
    """Why a sentence must not stand by the evidence it cites; None if it may."""
    known = "\n".join(one.text for one in cited)
    for kind, said in named(text, run).items():
        if more := sorted(said - named(known, run)[kind]):
            return f"{KIND[kind]} that its sources don't have: {', '.join(more)}"
    found = verify(text, cited)
    if found.verdict != "supported":
        return f"{found.verdict}: {'; '.join(found.reasons)}"
    return None if found.score >= COVERED else f"says more than its sources: {'; '.join(found.reasons)}"


def named(text: str, run: Run) -> dict[str, set[str]]:
    """What of a text can't be worded otherwise: numbers, sides, drugs, and findings with their status."""
    findings = run.resources.recogniser.find(text)
    return {
        "number": {one.replace(",", "") for one in numbers(text)},
        "side": {match.group().lower() for match in SIDES.finditer(text)},
        "drug": {drug.label for one in mentions(text) for drug in one.drugs},
        "finding": {f"{one.label} ({one.status}, {one.experiencer})" for one in findings},
    }
