"""Does the virtual patient understand what it is asked, and tell that and nothing else? Beside the plain nearest fact.

    python benchmarks/patient.py ../shared/data [--part tune|report]

tests/education/patient_questions.jsonl: learner's questions on scripts by the author's form and AgentClinic's cases. A
reply is right if it tells all that the question asks for and nothing else; `unasked` is the share of replies that tell
a fact that was not asked for. The peer is the patient of the bench's agentclinic task: the facts nearest to the
question by their embeddings, with its own thresholds, handed the same facts, and told which lines are requests.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from osler import __version__
from osler.bench.tasks.agentclinic import BELOW, FACTS, NEAR, NEAR_TEST
from osler.education.patient import Reply, Script, VirtualPatient
from osler.education.patient.orders import order_of
from osler.education.patient.script import names_one
from osler.models.embedder import Embedder
from osler.reasoning.resources import Resources
from osler.settings import load_settings
from osler.statistics import wilson

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "education"))
from patient_set import is_right, questions, script_of

Hear = Callable[[str], Reply]


class Said(NamedTuple):
    row: dict[str, Any]
    reply: Reply
    right: bool
    unasked: bool
    leaked: bool


def nearest(script: Script, embedder: Embedder) -> Hear:
    """The patient of the agentclinic task on a script's facts."""
    kinds = {test: [fact for fact in script.facts if (fact.kind != "history") == test] for test in (False, True)}
    texts = {test: [f"{f.label}: {f.source or f.answer}" if test else f.source or f.answer for f in facts]
             for test, facts in kinds.items()}  # fmt: skip
    vectors = {test: embedder.embed_passages(each) for test, each in texts.items()}

    def hear(question: str) -> Reply:
        test = order_of(question, script.facts) is not None
        cosines = vectors[test] @ embedder.embed_queries([question])[0]
        least = NEAR_TEST if test else max(NEAR, cosines.max() - BELOW)
        best = [k for k in (-cosines).argsort()[: 1 if test else FACTS] if cosines[k] >= least]
        told = [kinds[test][k] for k in best]
        if not told:
            return Reply(text="", kind="unknown")
        return Reply(text=" ".join(texts[test][k] for k in best), facts=[fact.id for fact in told], kind="told")

    return hear


def judge(rows: Sequence[dict[str, Any]], scripts: dict[str, Script], hear: dict[str, Hear]) -> list[Said]:
    said = []
    for row in rows:
        script, reply = scripts[row["script"]], hear[row["script"]](row["question"])
        right = is_right(row, reply, script)
        alone = [reply.model_copy(update={"facts": [fact], "kind": "told"}) for fact in reply.facts]
        wanted = {**row, "kind": "told", "tells": ["/".join(row["tells"])]}
        extra = any(not is_right(wanted, one, script) for one in alone)
        said.append(Said(row, reply, right, extra, names_one(reply.text, script.sealed)))
    return said


def line(name: str, said: Sequence[Said]) -> str:
    n = len(said)
    cells = []
    for count in (sum(one.right for one in said), sum(one.unasked for one in said), sum(one.leaked for one in said)):
        low, high = wilson(count, n)
        cells.append(f"{100 * count / n:.1f} ({100 * low:.1f}–{100 * high:.1f})")
    return f"| {name} | {n} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--part", default="report", choices=["tune", "report"])
    given = parser.parse_args()
    resources = Resources(load_settings())
    rows = questions(given.part)
    scripts = {name: script_of(name, given.data) for name in dict.fromkeys(row["script"] for row in rows)}
    patients = {name: VirtualPatient(script, resources) for name, script in scripts.items()}
    started = time.process_time()
    mine = judge(rows, scripts, {name: patient.hear for name, patient in patients.items()})
    seconds = time.process_time() - started
    peer = judge(rows, scripts, {name: nearest(script, resources.embedder) for name, script in scripts.items()})
    print(f"osler {__version__}, embedder {resources.embedder.info.spec}, graph {len(resources.graph.ids):,} nodes; "
          f"part {given.part}: {len(rows)} questions on {len(scripts)} scripts; "
          f"{1000 * seconds / len(rows):.0f} ms of CPU a question\n")  # fmt: skip
    print("| patient, questions | n | right % (95%) | told something unasked % (95%) | named the diagnosis % (95%) |")
    print("|---|---:|---:|---:|---:|")
    for title, keep in PARTS.items():
        for name, said in (("osler", mine), ("nearest fact", peer)):
            if chosen := [one for one in said if keep(one.row)]:
                print(line(f"{name}: {title}", chosen))


PARTS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "all": lambda row: True,
    "English": lambda row: row["language"] == "en",
    "Chinese": lambda row: row["language"] == "zh",
    "author's forms": lambda row: not row["script"].startswith("agentclinic"),
    "AgentClinic": lambda row: row["script"].startswith("agentclinic"),
    "to be told": lambda row: row["kind"] == "told",
    "beyond the script": lambda row: row["kind"] == "unknown",
    "what do you have?": lambda row: row["kind"] == "refuse-diagnosis",
    "remarks": lambda row: row["kind"] == "smalltalk",
}


if __name__ == "__main__":
    main()
