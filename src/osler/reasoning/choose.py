"""Which option of a question the evidence speaks for. It writes nothing; where options tie it chooses none.

Yes/no questions go by whether the best sentences deny, and contradict, what is asked; other options are searched one
by one and compared by how well the best sentences cover question and option together.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from osler.reasoning.extract import Sentence
from osler.reasoning.passages import passages_for, sentences_for
from osler.reasoning.registry import Question
from osler.reasoning.resources import Run
from osler.reasoning.verify import denied

MARGIN = 0.03
YES, NO, MAYBE = (
    {"yes", "true", "是", "对", "有"},
    {"no", "false", "否", "不是", "错", "没有"},
    {"maybe", "unclear", "不确定"},
)
_AUXILIARY = re.compile(
    r"^(?:is|are|was|were|do|does|did|can|could|should|will|would|may|might|has|have|had)\b\s*(?:there\b\s*)?", re.I
)
# How findings deny: no effect, not associated, did not differ, failed to show.
_DENIAL = re.compile(
    r"\b(?:no (?:significant|statistically|evidence|association|difference|effect|correlation|benefit|relationship|"
    r"improvement|increase|change|role)|(?:did|does|do|was|were|is|are|has|have) not|cannot|can not|failed to|lack of|"
    r"neither|unlikely|without (?:significant|any)|ineffective)\b|无显著|没有证据|未发现|并非|不能|不会|无效|不推荐",
    re.I,
)


class Choice(NamedTuple):
    """`key` is None where the evidence favours none."""

    key: str | None
    sentences: list[Sentence]


def choose(question: Question, found: Sequence[Sentence], run: Run) -> Choice:
    """The option that the evidence speaks for; `found`: the sentences that answer the question best."""
    assert question.options
    labels = {text.strip().lower().rstrip("."): key for key, text in question.options.items()}
    if set(labels) <= YES | NO | MAYBE:
        return _yes_no(question, found, labels)
    return _by_option(question, run)


def statement_of(question: str) -> str:
    """`Is X linked to Y?` -> `X linked to Y`: the claim a yes/no question asks about."""
    last = question.strip().split("\n")[-1]
    claim = _AUXILIARY.sub("", last).rstrip("?？ ")
    return re.sub(r"[吗呢]$|是否|能否|是不是", "", claim)


def _yes_no(question: Question, found: Sequence[Sentence], labels: dict[str, str]) -> Choice:
    """No where sentences deny, yes where none does; between the two (one denies, or only a side issue) neither.

    The counts were chosen on the tune parts of bioasq_yesno_dev and pubmedqa_dev.
    """
    claim = statement_of(question.text)
    denying = [item for item in found if _DENIAL.search(item.text)]
    against = [item for item in denying if _contradicts(item, claim)]
    if against or len(denying) >= 2:
        wanted, shown = NO, [*against, *(item for item in denying if item not in against)]
    elif not denying:
        wanted, shown = YES, list(found)
    else:
        wanted, shown = MAYBE, list(found)
    return Choice(next((key for label, key in labels.items() if label in wanted), None), shown)


def _contradicts(sentence: Sentence, claim: str) -> bool:
    return bool(denied(claim, sentence.text)[0])


def _by_option(question: Question, run: Run) -> Choice:
    assert question.options
    ranked = []
    for key, text in question.options.items():
        evidence = passages_for(question, run, extra=text)
        best = sentences_for(question, evidence, run, extra=text)[:2]
        ranked.append((sum(item.score for item in best) / 2, key, best))
    ranked.sort(key=lambda item: -item[0])
    if len(ranked) > 1 and ranked[0][0] - ranked[1][0] < MARGIN:
        return Choice(None, ranked[0][2])
    return Choice(ranked[0][1], ranked[0][2])
