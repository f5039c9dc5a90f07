"""What a text is worth beside a reference or its source: words, likeness, findings, support. It knows no task.

ROUGE (Lin 2004) counts words and their order, not what they mean. Likeness (e5-small) follows BERTScore's greedy
matching (Zhang et al. 2020) with sentences of another model, so the two figures can't be compared; cosines of e5 lie
between about 0.7 and 1 even for texts of different matters. Concept F1 is read by Osler's own recogniser: what it
doesn't know it misses in both, and a copy of the source scores high where the reference keeps most of it. The support
rate's verifier compares words, numbers, negation and direction, so a free paraphrase counts as unsupported. Read each
beside its baseline.
"""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from osler.errors import InputError
from osler.knowledge.concepts.recogniser import Recogniser, findings_of
from osler.models.embedder import Embedder
from osler.nouns import Evidence
from osler.reasoning.verify import verify
from osler.record import read_text
from osler.text import CJK, sentences

LIKENESS = "likeness (e5-small)"
Concepts = frozenset[tuple[str, str, str]]
_WORD = re.compile(rf"[a-z0-9]+|[{CJK}]")  # a run of Latin letters and digits, unstemmed, or one Chinese character


def rouge(candidate: str, reference: str) -> dict[str, float]:
    """F1 of ROUGE-1, ROUGE-2 and ROUGE-L, the last over the whole text; each 0 to 1, 0 where a text has no words."""
    said, wanted = _WORD.findall(candidate.lower()), _WORD.findall(reference.lower())
    return {
        "ROUGE-1": _overlap(Counter(said), Counter(wanted)),
        "ROUGE-2": _overlap(Counter(pairwise(said)), Counter(pairwise(wanted))),
        "ROUGE-L": _f1(common_subsequence(said, wanted), len(said), len(wanted)),
    }


def common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence, by bit-parallel rows (Hyyrö 2004)."""
    places: dict[str, int] = {}
    for place, word in enumerate(first):
        places[word] = places.get(word, 0) | 1 << place
    row = whole = (1 << len(first)) - 1
    for word in second:
        shared = row & places.get(word, 0)
        row = (row + shared | row - shared) & whole
    return len(first) - row.bit_count()


def likeness(candidate: str, reference: str, embedder: Embedder) -> float | None:
    """F1 of the mean best cosine of the candidate's sentences and of the reference's; None where a text has none."""
    said, wanted = ([text[start:end] for start, end in sentences(text)] for text in (candidate, reference))
    if not said or not wanted:
        return None
    vectors = embedder.embed_queries([*said, *wanted])
    cosines = vectors[: len(said)] @ vectors[len(said) :].T
    precision, recall = float(cosines.max(axis=1).mean()), float(cosines.max(axis=0).mean())
    return 2 * precision * recall / (precision + recall)


def concepts_of(text: str, recogniser: Recogniser) -> Concepts:
    """(code, status, experiencer) of what a note or dialogue tells; what is only feared or planned is left out."""
    if not text.strip():
        return frozenset()
    try:
        case = read_text(text)
    except InputError:  # a reply that looks like a record and is none
        case = read_text(text, "note")
    found = findings_of(case, recogniser)
    return frozenset((one.code, one.status, one.experiencer) for one in found if one.time != "hypothetical")


def concept_f1(candidate: Concepts, reference: Concepts) -> float | None:
    """Of findings, diseases and drugs, each with its status and whose it is; None where neither text has one."""
    both = len(candidate) + len(reference)
    return 2 * len(candidate & reference) / both if both else None


def support_rate(text: str, source: str) -> float | None:
    """The share of a text's sentences that its source supports by Osler's verifier; None for a text without any."""
    evidence = [Evidence(id="source", kind="case", text=source)]
    verdicts = [verify(text[start:end], evidence).verdict for start, end in sentences(text)]
    return verdicts.count("supported") / len(verdicts) if verdicts else None


def _overlap(said: Counter[Any], wanted: Counter[Any]) -> float:
    return _f1((said & wanted).total(), said.total(), wanted.total())


def _f1(hits: int, said: int, wanted: int) -> float:
    return 2 * hits / (said + wanted) if said and wanted else 0.0
