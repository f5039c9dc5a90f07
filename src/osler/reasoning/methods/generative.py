"""Retrieve-then-read: a privileged model writes from fenced passages; each statement is verified against what it cites.

The JSON schema allows only passages that exist, so a citation can't be invented. A model without the privilege
"answer" is not asked: the answer is then extractive and says so in `method` and `mode`.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from osler.nouns import Abstention, Answer, Evidence, ModelReference, Statement
from osler.reasoning.fence import fenced
from osler.reasoning.methods.extractive import extractive
from osler.reasoning.passages import passages_for, sentences_for
from osler.reasoning.privilege import withheld
from osler.reasoning.prompts import prompts
from osler.reasoning.registry import Question, method
from osler.reasoning.relevance import missing, speaks_to
from osler.reasoning.resources import Run
from osler.reasoning.verify import verify
from osler.reasoning.words import WORDS
from osler.text import Language, language_of

if TYPE_CHECKING:
    from osler.models import Request

PASSAGE = 700  # code points of each passage that the model sees
READ = 4  # passages that the model sees: a small machine reads 60 tokens a second
TOKENS = 400
STATEMENTS = 4


@method("generative", paper="Lewis et al., NeurIPS 2020 (retrieval-augmented generation)", calls="1")
def generative(question: Question, run: Run) -> Answer:
    """A written answer whose statements are verified; an abstention when none of them is supported."""
    if why := withheld("answer", language_of(question.text), run):
        return extractive(question, run).model_copy(update={"withheld": why})
    evidence = passages_for(question, run)
    words = WORDS[language_of(question.text)]
    found = sentences_for(question, evidence, run)
    if not speaks_to(question, found, evidence):
        reason = words["nothing_context" if question.context is not None else "nothing"]
        nothing = Abstention(reason=reason, missing=missing(question.text, evidence, words))
        return Answer(question=question.text, abstained=nothing, method="generative", trace_id=run.id)
    evidence = list({item.evidence.id: item.evidence for item in found}.values())[:READ]
    written = _written(question, evidence, run)
    statements = [_checked(item, evidence, run) for item in written.get("statements", []) if item["text"].strip()]
    abstained = None
    if not any(item.verdict == "supported" for item in statements):
        reason = words["none_supported" if statements else "weak"]
        abstained = Abstention(reason=reason, missing=missing(question.text, evidence, words))
    return _answer(question, run, abstained, statements, written.get("choice"))


def _answer(
    question: Question,
    run: Run,
    abstained: Abstention | None,
    statements: Sequence[Statement],
    choice: str | None,
) -> Answer:
    info = run.resources.model.info
    return Answer(
        question=question.text,
        statements=list(statements),
        choice=None if abstained else choice,
        abstained=abstained,
        method="generative",
        model=ModelReference(spec=info.spec, digest=info.digest),
        mode="generative",
        trace_id=run.id,
    )


def _written(question: Question, evidence: Sequence[Evidence], run: Run) -> dict[str, Any]:
    request = cited_request(
        question.text, evidence, language_of(question.text), question.options or {}, run.settings.consult.seed
    )
    return parsed(run.generate([request])[0].text)


def cited_request(
    question: str,
    evidence: Sequence[Evidence],
    language: Language,
    options: Mapping[str, str] = MappingProxyType({}),
    seed: int = 0,
) -> "Request":
    """Asks for statements that cite the numbered passages, and for a choice among `options` if there are any."""
    from osler.models import Message, Request

    words = prompts("cited")[language]
    listed = "\n".join(f"{key}: {text}" for key, text in options.items())
    asked = words["options"].format(listed=listed) if options else ""
    user = words["user"].format(passages=fenced(evidence, PASSAGE), question=question.strip(), options=asked)
    return Request(
        messages=[Message("system", words["system"]), Message("user", user)],
        max_tokens=TOKENS,
        json_schema=schema(len(evidence), list(options)),
        seed=seed,
    )


def schema(passages: int, options: Sequence[str]) -> dict[str, Any]:
    """Statements that cite passages 1 to `passages`, and a choice among `options` if there are any."""
    numbers = list(range(1, passages + 1))
    statement = {
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "passages": {
                "type": "array",
                "items": {"enum": numbers},
                "minItems": 1,
                "maxItems": 3,
            },
        },
        "required": ["text", "passages"],
        "additionalProperties": False,
    }
    properties: dict[str, Any] = {"statements": {"type": "array", "items": statement, "maxItems": STATEMENTS}}
    if options:
        properties["choice"] = {"enum": list(options)}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def parsed(text: str) -> dict[str, Any]:
    """What the model wrote, by the schema; an answer that was cut off keeps its whole statements; {} for rubbish."""
    try:
        found = json.loads(text)
    except ValueError:
        cut = text.rfind("}", 0, text.rfind("}") + 1)
        try:
            found = json.loads(text[: cut + 1] + "]}")
        except ValueError:
            return {}
    return found if isinstance(found, dict) else {}


def _checked(item: dict[str, Any], evidence: Sequence[Evidence], run: Run) -> Statement:
    cited = [evidence[number - 1] for number in dict.fromkeys(item["passages"])]
    verdict = verify(item["text"], cited).verdict
    return Statement(text=item["text"].strip(), evidence=[run.cite(entry) for entry in cited], verdict=verdict)
