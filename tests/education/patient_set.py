"""The interviews of the virtual patient: scripts, learner's questions with what a right reply tells, and the judge."""

import json
from pathlib import Path
from typing import Any

from osler.education.patient import Fact, Reply, Script, read_script
from osler.education.patient.sittings import CASES
from osler.splits import split

HERE = Path(__file__).parent
QUESTIONS = HERE / "patient_questions.jsonl"
NONE = {"unknown": {"unknown", "not-done"}, "smalltalk": {"smalltalk"}, "refuse-diagnosis": {"refuse-diagnosis"}}


def questions(part: str | None = None) -> list[dict[str, Any]]:
    """The rows of a part (tune, report), by their script; all of them without one."""
    rows = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if part is None or split("interviews", row["script"]) == part]


def script_of(name: str, shared: Path | None = None) -> Script:
    """A shipped author's form, or a case of AgentClinic by its id."""
    form = CASES / f"{name}.toml"
    return read_script(form if form.exists() else f"{shared}/qa/agentclinic_medqa.jsonl.gz#{name}")


def forms() -> list[str]:
    return sorted(file.stem for file in CASES.glob("*.toml"))


def is_right(row: dict[str, Any], reply: Reply, script: Script) -> bool:
    """Whether a reply tells what was asked for, all of it and nothing else: the row's facts by their ids, or by words
    of the case for AgentClinic's; alternatives are divided by `/`, one that begins with `!` is a kind of reply."""
    wanted = [each.split("/") for each in row["tells"]]
    if any(reply.kind == "refuse-diagnosis" and "!diagnosis" in each for each in wanted):
        return True
    if row["kind"] != "told":
        return reply.kind in NONE[row["kind"]]
    facts = script.of(reply.facts)
    every = [one for each in wanted for one in each]
    return (
        reply.kind == "told"
        and all(any(_is(fact, one, row) for fact in facts for one in each) for each in wanted)
        and all(any(_is(fact, one, row) for one in every) for fact in facts)
    )


def _is(fact: Fact, said: str, row: dict[str, Any]) -> bool:
    if row["script"].startswith("agentclinic"):
        return said.casefold() in f"{fact.label} {fact.source}".casefold()
    return fact.id == said
