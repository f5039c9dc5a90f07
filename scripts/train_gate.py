"""Fit the gate of `osler.reasoning.methods.gate` on tune parts: a conditional logit over options, ridge-penalised.

    python scripts/train_gate.py --model SPEC [--limit 60] [--tasks medqa,pubmedqa,bioasq_yesno]

Prints what the gate reaches on the tune parts by five-fold cross-validation beside its arms, then writes the weights.
The bench keeps the model's replies, so an interrupted run goes on.
"""

import argparse
import json

import numpy as np

from osler.bench.task import Bench
from osler.bench.tasks import find_task
from osler.reasoning.methods.gate import ARMS, WEIGHTS, arms, features
from osler.reasoning.registry import Question
from osler.reasoning.resources import Run
from osler.settings import load_settings

RIDGE = 1.0
FOLDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--limit", type=int, default=60)
    parser.add_argument("--tasks", default="medqa,pubmedqa,bioasq_yesno")
    given = parser.parse_args()
    bench = Bench(load_settings({"models.language": given.model}))
    rows = []
    for name in given.tasks.split(","):
        task = find_task(name)
        for item in task.items(bench.data, "tune")[: given.limit]:
            question = Question(text=item.question, options=item.options, context=item.context)
            run = Run(bench.resources, "bench")
            found, _ = arms(question, run)
            values = features(question, found, run)
            keys = list(values)
            rows.append((name, np.array([values[key] for key in keys]), keys.index(item.answer), keys))
            print(f"\r{len(rows)}", end="", flush=True)
    print()
    order = np.random.default_rng(0).permutation(len(rows))
    right = np.zeros(len(rows))
    chance = np.zeros(len(rows))
    for fold in range(FOLDS):
        held = set(order[fold::FOLDS].tolist())
        fitted = fit([rows[i] for i in range(len(rows)) if i not in held])
        for i in held:
            chances = softmax(rows[i][1] @ fitted)
            right[i], chance[i] = float(chances.argmax() == rows[i][2]), chances.max()
    for name in dict.fromkeys(row[0] for row in rows):
        mine = [i for i, row in enumerate(rows) if row[0] == name]
        by_arm = [np.mean([rows[i][1][:, k].argmax() == rows[i][2] for i in mine]) for k in range(len(ARMS))]
        sure = sorted(mine, key=lambda i: -chance[i])[: len(mine) // 2]
        said = ", ".join(f"{arm} {value:.3f}" for arm, value in zip(ARMS, by_arm, strict=True))
        print(f"{name}: n {len(mine)}, {said}, gate {right[mine].mean():.3f}, its surer half {right[sure].mean():.3f}")
    made = {"weights": fit(rows).round(4).tolist(), "model": given.model.rpartition("/")[2], "n": len(rows)}
    WEIGHTS.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    print(made)


def softmax(values: np.ndarray) -> np.ndarray:
    weights = np.exp(values - values.max())
    return weights / weights.sum()


def fit(rows: list) -> np.ndarray:
    """Newton's method on the penalised log-likelihood of the right options."""
    size = rows[0][1].shape[1]
    found = np.zeros(size)
    for _ in range(50):
        slope, curve = -RIDGE * found, -RIDGE * np.eye(size)
        for _, values, answer, _ in rows:
            chances = softmax(values @ found)
            mean = chances @ values
            slope += values[answer] - mean
            curve -= (values - mean).T @ ((values - mean) * chances[:, None])
        step = np.linalg.solve(curve, slope)
        found -= step
        if np.abs(step).max() < 1e-8:
            break
    return found


if __name__ == "__main__":
    main()
