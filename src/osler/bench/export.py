"""A run in the formats of two other tools: lm-evaluation-harness' results JSON, and inspect-ai's log (version 2).

Both carry Osler's own figures, computed once; what the formats have no place for goes along as metadata.
An item whose reply could not be read has `osler_unparsed` (inspect: value "N").
"""

import hashlib
import json
import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

from osler import __version__
from osler.bench.figures import Reply, unread
from osler.bench.runner import Finished
from osler.bench.task import Item
from osler.errors import InputError
from osler.statistics import Z

FILTER = "none"  # lm-evaluation-harness names each metric "metric,filter"


def export(finished: Finished, style: str) -> str:
    """The run as JSON text of a style (`lm-eval` or `inspect`). Raises InputError for another."""
    if style not in STYLES:
        raise InputError(f"unknown format {style!r}", hint=f"Known: {', '.join(STYLES)}.")
    # JSON has no word for "not defined".
    rows = [row for row in finished.measurements if math.isfinite(sum((row.value, *(row.interval or ()))))]
    made = STYLES[style](finished._replace(measurements=rows))
    return json.dumps(made, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def lm_eval(finished: Finished) -> dict[str, Any]:
    """What `lm_eval --output_path` writes, with its samples in the same document."""
    card, task = finished.card, finished.card.task
    results: dict[str, Any] = {"alias": task, "sample_len": card.n}
    for row in finished.measurements:
        name = row.metric.replace(",", ";")
        results[f"{name},{FILTER}"] = row.value
        # From the interval, as if it were a normal one.
        results[f"{name}_stderr,{FILTER}"] = (row.interval[1] - row.interval[0]) / 2 / Z if row.interval else "N/A"
    samples = []
    for number, (item, reply) in enumerate(zip(finished.items, finished.replies, strict=True)):
        document, target = _document(item), _target(item)
        samples.append(
            {
                "doc_id": number,
                "doc": {"id": item.id, **document},
                "target": target,
                "arguments": {},
                "resps": [[reply.output if reply.output is not None else reply.said]],
                "filtered_resps": [reply.said],
                "filter": FILTER,
                "metrics": list(reply.scores),
                "doc_hash": _hash(document),
                "prompt_hash": _hash(card.prompt_hash),
                "target_hash": _hash(target),
                "osler_unparsed": reply.why if reply.said is None else None,
                **reply.scores,
            }
        )
    spec = card.model["spec"] if card.model else "none"
    about = {"version": card.prompt_hash, "osler": _about(finished)}
    return {
        "results": {task: results},
        "group_subtasks": {task: []},
        "configs": {task: {"task": task, "metadata": about, "num_fewshot": 0}},
        "versions": {task: card.prompt_hash},
        "n-shot": {task: 0},
        "higher_is_better": {task: {}},
        "n-samples": {task: {"original": card.n, "effective": len(samples)}},
        "config": {"model": f"osler/{card.method}", "model_args": spec, "limit": card.limit},
        "date": datetime.fromisoformat(card.started).timestamp(),
        "model_name": spec,
        "task_hashes": {task: card.data_hash},
        "samples": {task: samples},
    }


def inspect(finished: Finished) -> dict[str, Any]:
    """An `EvalLog` as inspect-ai reads it; an item's scores lie under their metrics' names."""
    card = finished.card
    model, lost = card.model["spec"] if card.model else "none", unread(finished.replies)
    metrics = {
        row.metric: {"name": row.metric, "value": row.value, "metadata": row.model_dump(mode="json")}
        for row in finished.measurements
    }
    score = {
        "name": finished.task.headline,
        "scorer": "osler",
        "scored_samples": card.n - lost,
        "unscored_samples": lost,
        "metrics": metrics,
    }
    return {
        "version": 2,
        "status": "success",
        "eval": {
            "eval_id": card.id,
            "run_id": card.id,
            "created": card.started,
            "task": card.task,
            "task_id": card.id,
            "task_args": {"split": card.split, "limit": card.limit, "seed": card.seed},
            "dataset": {"name": card.task, "samples": card.n, "sample_ids": [item.id for item in finished.items]},
            "model": f"osler/{model}",
            "config": {},
            "packages": {"osler": __version__},
            "metadata": _about(finished),
        },
        "plan": {"name": card.method, "steps": [{"solver": card.method, "params": {}}]},
        "results": {"total_samples": card.n, "completed_samples": card.n, "scores": [score]},
        "stats": {"started_at": card.started, "completed_at": card.started},
        "samples": [_sample(item, reply, model) for item, reply in zip(finished.items, finished.replies, strict=True)],
    }


STYLES: dict[str, Callable[[Finished], dict[str, Any]]] = {"lm-eval": lm_eval, "inspect": inspect}


def _sample(item: Item, reply: Reply, model: str) -> dict[str, Any]:
    document = _document(item)
    options = document.get("options")
    text = reply.output if reply.output is not None else json.dumps(reply.said, ensure_ascii=False)
    message = {"role": "assistant", "content": text}
    answer = None if reply.said is None else str(reply.said)
    values: dict[str, Any] = {**reply.scores} if reply.said is not None else {**reply.scores, "read": "N"}
    scores = {name: {"value": value, "answer": answer, "explanation": reply.why} for name, value in values.items()}
    return {
        "id": item.id,
        "epoch": 1,
        "input": str(document.get("question") or json.dumps(document, ensure_ascii=False)),
        "choices": list(options.values()) if isinstance(options, dict) else None,
        "target": _target(item),
        "messages": [],
        "output": {"model": model, "choices": [{"message": message, "stop_reason": "stop"}]},
        "scores": scores,
        "metadata": {**document, "group": item.group, "confidence": reply.confidence, "seconds": reply.seconds},
    }


def _about(finished: Finished) -> dict[str, Any]:
    return {**finished.card._asdict(), "measurements": [row.model_dump(mode="json") for row in finished.measurements]}


def _document(item: Item) -> dict[str, Any]:
    """The item without its id, as JSON has it."""
    fields = {name: value for name, value in item._asdict().items() if name != "id"}
    plain: dict[str, Any] = json.loads(json.dumps(fields, ensure_ascii=False))
    return plain


def _target(item: Item) -> str:
    return str(getattr(item, "answer", ""))


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
