"""Make an answer again from what the ledger holds and say exactly what differs.

Each local model call is repeated from its stored prompt, parameters and seed, one sequence at a time, and compared
token by token; then the whole answer is made again from its stored input and settings. What a remote endpoint said
is taken from its record. It does not judge which of two differing answers is right.
"""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from osler.clinic.consult import consult
from osler.clinic.edits import Edit
from osler.clinic.reports import Kind, draft
from osler.education.exams import Blueprint, exam_of
from osler.education.explaining import explanation_of
from osler.education.quiz import Wish, quiz_on
from osler.errors import InputError
from osler.ledger import Ledger
from osler.models import load_model
from osler.models.gguf import GgufModel
from osler.nouns import ModelCall, dump
from osler.reasoning.ask import Question, answer
from osler.reasoning.resources import REPLAYED, Resources, Run
from osler.record import read
from osler.settings import Settings
from osler.trust.mitigation import use

VOLATILE = frozenset({"trace_id", "compared"})


class Difference(NamedTuple):
    """`path` into the answer's JSON; what the ledger holds and what came out now."""

    path: str
    then: Any
    now: Any


class Replay(NamedTuple):
    """`calls`: model calls repeated token by token. `notes`: why a difference may have come about."""

    id: str
    kind: str
    same: bool
    differences: list[Difference]
    calls: int
    notes: list[str]


def replay(id: str, settings: Settings) -> Replay:
    """Replay entry `id`. Raises InputError for an entry that is no answer, Erased for an erased patient."""
    ledger = Ledger.open(settings)
    kind = ledger.entry(id).kind
    payload = ledger.payload(id)
    again: dict[str, Callable[[dict[str, Any], Settings], tuple[Any, dict[str, str]]]] = {
        "consult": _consult,
        "ask": _ask,
        "report": _report,
        "quiz": _quiz,
        "exam": _exam,
        "explain": _explain,
    }
    if kind not in again:
        raise InputError(f"entry {id} is a {kind}: there is no answer in it to replay")
    parameters, gone = _known(payload["trace"]["parameters"])
    stored = settings.model_validate({**settings.model_dump(), **parameters})
    found = list(_model_differences(payload["trace"]["calls"], stored))
    output, knowledge = again[kind](payload["input"], stored)
    found += differences(payload["output"], output, "")
    notes = [f"the setting {name} was {value!r} then and is no longer known" for name, value in gone.items() if value]
    notes += [
        f"{name} was {version} then and is {knowledge.get(name, 'absent')} now"
        for name, version in payload["trace"]["knowledge"].items()
        if knowledge.get(name) != version
    ]
    calls = sum(bool(call["replayable"]) for call in payload["trace"]["calls"])
    return Replay(id, kind, not found, found, calls, notes)


def _known(parameters: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The stored settings that an answer depends on, and apart those that this version has no more."""
    kept: dict[str, Any] = {}
    gone: dict[str, Any] = {}
    for section in REPLAYED:
        fields = type(getattr(Settings.model_construct(home=Path()), section)).model_fields
        for name, value in parameters.get(section, {}).items():
            if name in fields:
                kept.setdefault(section, {})[name] = value
            else:
                gone[f"{section}.{name}"] = value
    return kept, gone


def _consult(given: dict[str, Any], settings: Settings) -> tuple[Any, dict[str, str]]:
    case = read(base64.b64decode(given["base64"]), name=given["name"], kind=given["kind"])
    edits = [Edit(**edit) for edit in given.get("edits", [])]
    result, trace = consult(case, Resources(settings), edits, given.get("safety_only", False))
    return result.model_dump(mode="json", by_alias=True), trace.knowledge


def _ask(given: dict[str, Any], settings: Settings) -> tuple[Any, dict[str, str]]:
    use(given.get("method"))
    run = Run(Resources(settings), "ask")
    made = answer(Question(**given), run)
    output = {
        "answer": made.model_dump(mode="json"),
        "evidence": [e.model_dump(mode="json") for e in run.evidence.values()],
    }
    return output, run.knowledge()


def _report(given: dict[str, Any], settings: Settings) -> tuple[Any, dict[str, str]]:
    run = Run(Resources(settings), "report")
    made = draft(
        Kind(**given["kind"]), read(base64.b64decode(given["base64"]), name=given["name"]), run, given["language"]
    )
    return made.model_dump(mode="json", by_alias=True), run.knowledge()


def _quiz(given: dict[str, Any], settings: Settings) -> tuple[Any, dict[str, str]]:
    run = Run(Resources(settings), "quiz")
    return dump(quiz_on(given["topic"], run, Wish(**given["wish"]), given["language"])), run.knowledge()


def _exam(given: dict[str, Any], settings: Settings) -> tuple[Any, dict[str, str]]:
    run = Run(Resources(settings), "exam")
    return dump(exam_of(Blueprint(**given["blueprint"]), run, given["rejected"])), run.knowledge()


def _explain(given: dict[str, Any], settings: Settings) -> tuple[Any, dict[str, str]]:
    run = Run(Resources(settings), "explain")
    return dump(explanation_of(given["topic"], run, given["level"], given["language"])), run.knowledge()


def _model_differences(calls: list[dict[str, Any]], settings: Settings) -> Iterator[Difference]:
    for number, call in enumerate(ModelCall(**call) for call in calls):
        if not call.replayable:
            continue
        model = load_model(call.model.spec, settings)
        if not isinstance(model, GgufModel):
            continue
        generation = model.replay(call.prompt, call.parameters)
        if generation.tokens != call.output_tokens or generation.text != call.output:
            yield Difference(f"calls[{number}]", call.output, generation.text)


def differences(then: Any, now: Any, path: str) -> Iterator[Difference]:
    """Leaves of two JSON values that are not equal, volatile identifiers aside."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*then, *now]):
            if key not in VOLATILE:
                yield from differences(then.get(key), now.get(key), f"{path}.{key}" if path else key)
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for index, (a, b) in enumerate(zip(then, now, strict=True)):
            yield from differences(a, b, f"{path}[{index}]")
    elif then != now:
        yield Difference(path, then, now)
