"""From a method's draft to an answer: every sentence against its evidence, every choice with what speaks for it.

A method proposes; here is decided what may be said. It knows no method and asks no model.
"""

from collections.abc import Sequence

from osler.nouns import Abstention, Answer, Evidence, ModelReference, Statement
from osler.reasoning.commands import without_commands
from osler.reasoning.extract import best_sentences
from osler.reasoning.judging import judge
from osler.reasoning.passages import passages_for, sentences_for
from osler.reasoning.registry import Claim, Draft, MethodInfo, Question
from osler.reasoning.relevance import ENOUGH, missing
from osler.reasoning.resources import Run
from osler.reasoning.standing import cautions, stands
from osler.reasoning.words import WORDS
from osler.text import language_of

TIE = 1e-6
SHOWN = 2  # sentences that are shown for a choice
LOOKED_UP = 3  # sentences a statement without evidence of its own is compared with


def checked(draft: Draft, question: Question, info: MethodInfo, run: Run) -> Answer:
    """The draft as an answer: verified, cited, with its choice, or abstained."""
    words = WORDS[language_of(question.text)]
    abstained, asked = draft.abstained, run.asked
    written = asked and (info.writes or not question.options)
    statements = [_statement(claim, draft.read, run) for claim in draft.claims if claim.text.strip()]
    choice = _choice(draft)
    if abstained is None and question.options and choice is None:
        abstained = Abstention(reason=words["tie"], missing=[words["missing_option"]])
    if abstained is None and info.calls != "none":
        if question.options and not written:
            statements += _for_choice(question, str(choice), draft.read, run)
        elif not question.options and not any(item.verdict == "supported" for item in statements):
            reason = words["none_supported" if statements else "weak"]
            abstained = Abstention(reason=reason, missing=missing(question.text, draft.read, words))
    model = run.resources.model.info if asked else None
    return Answer(
        question=question.text,
        statements=statements,
        choice=None if abstained else choice,
        confidence=None if abstained else draft.confidence,
        plausible=None if draft.plausible is None else list(draft.plausible),
        shares={key: round(share, 4) for key, share in draft.votes.items()} if asked and draft.votes else None,
        next_question=draft.next_question,
        abstained=abstained,
        method=info.name,
        model=ModelReference(spec=model.spec, digest=model.digest) if model else None,
        mode="generative" if written else "extractive",
        trace_id=run.id,
    )


def _choice(draft: Draft) -> str | None:
    """The option with the greatest share; None where two share it."""
    ranked = sorted(draft.votes.items(), key=lambda pair: -pair[1])
    if not ranked or (len(ranked) > 1 and ranked[0][1] - ranked[1][1] < TIE):
        return None
    return ranked[0][0]


def _statement(claim: Claim, read: Sequence[Evidence], run: Run) -> Statement:
    """A claim with its verdict. One without evidence is compared with the best sentences of what was read, else of a
    search for it; what doesn't support it isn't cited."""
    cited = list(claim.evidence)
    if not cited:
        near = best_sentences(claim.text, read or run.search(claim.text, LOOKED_UP), run, LOOKED_UP)
        cited = list({item.evidence.id: item.evidence for item in near}.values())
    standing = [item.model_copy(update={"text": without_commands(item.text)}) for item in cited if stands(item)]
    verdict = judge(claim.text, standing, run) if standing else "unsupported"
    if not claim.evidence and verdict == "unsupported":
        cited = []
    return Statement(
        text=claim.text.strip(),
        evidence=[run.cite(item) for item in cited],
        verdict=verdict,
        cautions=cautions(claim.text, cited, read, run),
    )


def _for_choice(question: Question, choice: str, read: Sequence[Evidence], run: Run) -> list[Statement]:
    """Sentences that speak for the option a model holds for likely, word for word; or that none was found."""
    assert question.options
    text = question.options.get(choice, choice)
    found = sentences_for(question, read or passages_for(question, run, extra=text), run, extra=text)
    named = [item for item in found if item.score >= ENOUGH][:SHOWN]
    if not named:
        alone = WORDS[language_of(question.text)]["choice_alone"].format(choice=choice)
        return [Statement(text=alone, verdict="unsupported")]
    return [_statement(Claim(item.text, [item.evidence]), read, run) for item in named]
