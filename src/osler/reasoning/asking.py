"""How a question is put to a language model and how its reply is read: a letter by its probability, or a text.

It knows no method. Everything a model sees that is not the question itself is fenced.
"""

import json
import math
import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from osler.models import Message, Request, ScoreRequest
from osler.nouns import Evidence
from osler.reasoning.calibrated import Worth, worth
from osler.reasoning.fence import fenced
from osler.reasoning.prompts import prompts
from osler.reasoning.registry import Claim, Draft, Question
from osler.reasoning.resources import Run
from osler.text import Language, language_of, sentences

TOKENS = 320  # of a reply
PARSER = "2"  # version of `read_reply`
_SAID = re.compile(r"(?:answer|答案)\s*(?:is|为|是)?\s*[:：]?\s*\**\(?([A-J](?:\s*[,、和&]?\s*[A-J])*)\b\)?", re.I)
_ALONE = re.compile(r"^\W*([A-J])(?:\W*$|[.:：)、,*\n]|(?<!A)\s)")  # "A fever ..." is no letter
_LAST_LINE = re.compile(r"\n?[^\n]*(?:answer|答案)\s*(?:is|为|是)?\s*[:：][^\n]*$", re.I)


class Reply(NamedTuple):
    """`key`: the option it names, None where it names none."""

    text: str
    key: str | None


class Example(NamedTuple):
    """A solved question. `reason`: why, in words."""

    question: str
    options: dict[str, str]
    answer: str
    reason: str
    language: Language


def words_of(question: Question) -> dict[str, str]:
    """The templates of the steps of methods, in the question's language."""
    return prompts("methods")[language_of(question.text)]


def listed(question: Question) -> str:
    """The options below one another, as a part of another prompt; empty without options."""
    if not question.options:
        return ""
    lines = "\n".join(f"{key}. {text}" for key, text in question.options.items())
    return words_of(question)["options"].format(listed=lines)


def chat(
    question: Question,
    style: str,
    language: Language | None = None,
    read: Sequence[Evidence] = (),
    before: str = "",
    role: str = "",
    examples: Iterable[Example] = (),
) -> list[Message]:
    """The question as messages. `style`: "letter" or "think". `read`: passages, fenced; `before`: text of our own
    above the question; `role`: words before the system's."""
    words = prompts("choice")[language or language_of(question.text)]
    system = words["system"] if question.options else words["open_system"]
    messages = [Message("system", f"{role}{system}")]
    for one in examples:
        asked = Question(text=one.question, options=one.options)
        messages.append(Message("user", _posed(asked, words, style)))
        answer = words["answer"].format(key=one.answer)
        messages.append(Message("assistant", one.answer if style == "letter" else f"{one.reason}\n{answer}"))
    parts = [words["passages"].format(passages=fenced(read))] if read else []
    parts += [before] if before else []
    return [*messages, Message("user", "\n\n".join([*parts, _posed(question, words, style)]))]


def _posed(question: Question, words: Mapping[str, str], style: str) -> str:
    if not question.options:
        return f"{question.text}\n\n{words['open']}"
    named = any(text != key for key, text in question.options.items())  # else the question itself lists them
    options = "\n".join(f"{key}. {text}" for key, text in question.options.items()) if named else ""
    return f"{question.text}\n\n{options}\n\n{words[style]}"


# --- asking ---------------------------------------------------------------------------------------------------


def decide(question: Question, run: Run, read: Sequence[Evidence] = (), **more: Any) -> Draft:
    """The likeliest option's letter; one reply to an open question. `more`: of `chat`."""
    if not question.options:
        return think(question, run, read, **more)
    votes = likely(chat(question, "letter", read=read, **more), list(question.options), run)
    sure = Worth() if more else worth(votes, language_of(question.text), bool(read), run)
    return Draft(votes=votes, read=read, confidence=sure.confidence, plausible=sure.plausible)


def think(question: Question, run: Run, read: Sequence[Evidence] = (), **more: Any) -> Draft:
    """A few sentences of reasoning and what they come to. `more`: of `chat`."""
    made = replies([chat(question, "think", read=read, **more)], question, run)
    return Draft(claims_of(made[0].text), votes_of(made), read)


def likely(messages: list[Message], keys: Sequence[str], run: Run) -> dict[str, float]:
    """The model's share of probability for each key as its next token."""
    return shares(run.score([ScoreRequest(messages, list(keys))])[0])


def shares(scores: Mapping[str, float]) -> dict[str, float]:
    """Probabilities of the options from log-probabilities of their letters."""
    high = max(scores.values(), default=0.0)
    weights = {key: math.exp(score - high) for key, score in scores.items()}
    total = sum(weights.values())
    return {key: weight / total for key, weight in weights.items()}


def replies(chats: Sequence[list[Message]], question: Question, run: Run, temperature: float = 0.0) -> list[Reply]:
    """One reply to each chat, each with a seed of its own where it is sampled."""
    first = run.settings.consult.seed
    requests = [
        Request(messages=each, max_tokens=TOKENS, temperature=temperature, top_p=0.95 if temperature else 1.0, seed=s)
        for s, each in enumerate(chats, start=first)
    ]
    texts = [made.text.strip() for made in run.generate(requests)]
    return [Reply(text, read_reply(text, question.options) if question.options else None) for text in texts]


def asked_for(messages: list[Message], schema: dict[str, Any], run: Run, tokens: int = TOKENS) -> dict[str, Any]:
    """What the model writes by a JSON schema; {} where it was cut off or is no object."""
    made = run.generate([Request(messages=messages, max_tokens=tokens, json_schema=schema)])[0]
    try:
        found = json.loads(made.text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def several(prompt: str, most: int, run: Run) -> list[str]:
    """Up to `most` short texts that a prompt asks for, each once."""
    items = {"type": "array", "items": {"type": "string", "maxLength": 200}, "minItems": 1, "maxItems": most}
    schema = {"type": "object", "properties": {"list": items}, "required": ["list"], "additionalProperties": False}
    found = asked_for([Message("user", prompt)], schema, run, tokens=160).get("list", [])
    return list(dict.fromkeys(str(text).strip() for text in found if str(text).strip()))[:most]


# --- reading --------------------------------------------------------------------------------------------------


def read_reply(text: str, options: Mapping[str, str]) -> str | None:
    """The key or keys that a reply names: after "answer" (the last one said), else a letter that opens it, else the
    one option whose whole text stands in it; None if there is none."""
    said = _SAID.findall(text)
    letters = sorted({letter.upper() for letter in re.findall("[A-Ja-j]", said[-1])}) if said else []
    if not letters and (alone := _ALONE.match(text)):
        letters = [alone[1]]
    if letters and all(letter in options for letter in letters):
        return "".join(letters)
    named = [key for key, option in options.items() if option.strip().lower() in text.lower()]
    return named[0] if len(named) == 1 else None


def votes_of(made: Iterable[Reply]) -> dict[str, float]:
    """Share of the replies that name an option, by option, most first; replies that name none don't vote."""
    counted = Counter(reply.key for reply in made if reply.key is not None)
    total = sum(counted.values())
    return {key: count / total for key, count in counted.most_common()}


def claims_of(text: str, read: Sequence[Evidence] = ()) -> list[Claim]:
    """The sentences of a reply, without the line that names the option."""
    body = _LAST_LINE.sub("", text).strip()
    return [Claim(body[start:end].strip(), read) for start, end in sentences(body) if len(body[start:end].strip()) > 3]


def speaking_for(made: Sequence[Reply], votes: Mapping[str, float]) -> str:
    """The text of the first reply that names the option with most votes."""
    best = max(votes, key=votes.__getitem__, default=None)
    return next((reply.text for reply in made if reply.key == best), made[0].text if made else "")


def shuffled(question: Question, seed: int) -> tuple[Question, dict[str, str]]:
    """The question with its options in another order, and the old key of each new one; as it is for seed 0."""
    assert question.options
    keys, order = list(question.options), list(question.options)
    if seed:
        random.Random(seed).shuffle(order)
    old = dict(zip(keys, order, strict=True))
    return question.model_copy(update={"options": {new: question.options[was] for new, was in old.items()}}), old
