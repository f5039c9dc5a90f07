"""Ways to answer alike whoever the patient is, around any method: `direct+blind`, `direct+ensemble`, `direct+abstain`.

They change what a method sees and join what it says. What bears on the medicine is left in the question, so they can't
help where the attribute stands there for a reason.
"""

from collections.abc import Callable, Iterator

from osler.errors import InputError
from osler.nouns import Abstention
from osler.reasoning import registry
from osler.reasoning.registry import Draft, Method, MethodInfo, Question
from osler.reasoning.resources import Run
from osler.text import language_of
from osler.trust.swaps import blinded, table, variants

WATCHED = ("sex", "race", "insurance")  # attributes whose groups are asked for besides


def use(name: str | None, mitigation: str = "") -> str | None:
    """The method with its mitigation as one name that `osler.reasoning` then knows. Raises InputError for a mitigation
    or method that is none."""
    base, _, how = (name or "").partition("+")
    how = how or mitigation
    if not how:
        return name
    if how not in MITIGATIONS:
        raise InputError(f"unknown mitigation {how!r}", hint=f"Known: {', '.join(MITIGATIONS)}.")
    info = registry.find_method(base or "retrieve-then-read")
    joined = f"{info.name}+{how}"
    if joined not in registry.methods():
        wrapped = MITIGATIONS[how](info)
        wrapped.__doc__ = f"{info.about} {(MITIGATIONS[how].__doc__ or '').splitlines()[0]}"
        calls = info.calls if how == "blind" or info.calls == "none" else f"{info.calls} x groups"
        registry.method(joined, info.paper, calls, info.writes)(wrapped)
        registry.methods.cache_clear()
    return joined


def blind(info: MethodInfo) -> Method:
    """Demographic blinding: what does not bear on the question is taken out before the method sees it."""

    def answered(question: Question, run: Run) -> Draft:
        beside = _beside(question)
        text, _ = blinded(question.text, beside)
        context = question.context and blinded(question.context, beside)[0]
        return info.function(question.model_copy(update={"text": text, "context": context}), run)

    return answered


def ensemble(info: MethodInfo) -> Method:
    """Ensemble over counterfactuals: the mean of what the method says for every group."""

    def answered(question: Question, run: Run) -> Draft:
        drafts = [info.function(one, run) for one in worlds(question)]
        keys = dict.fromkeys(key for draft in drafts for key in draft.votes)
        votes = {key: sum(draft.votes.get(key, 0.0) for draft in drafts) / len(drafts) for key in keys}
        return drafts[0]._replace(votes=votes, confidence=drafts[0].confidence if len(drafts) == 1 else None)

    return answered


def abstain(info: MethodInfo) -> Method:
    """Abstention on flips: no answer where it would be another one for another group."""

    def answered(question: Question, run: Run) -> Draft:
        drafts = [info.function(one, run) for one in worlds(question)]
        if len({max(draft.votes, key=draft.votes.__getitem__, default=None) for draft in drafts}) == 1:
            return drafts[0]
        said = table()["turned"][language_of(question.text)]
        return drafts[0]._replace(abstained=Abstention(reason=said["reason"], missing=[said["missing"]]))

    return answered


MITIGATIONS: dict[str, Callable[[MethodInfo], Method]] = {"blind": blind, "ensemble": ensemble, "abstain": abstain}


def worlds(question: Question) -> Iterator[Question]:
    """The question, and what it is for patients of the other groups that its text can name."""
    yield question
    for attribute in WATCHED:
        for _, text in variants(question.text, attribute, _beside(question)):
            yield question.model_copy(update={"text": text})


def _beside(question: Question) -> str:
    return " ".join([question.text, question.context or "", *(question.options or {}).values()])
