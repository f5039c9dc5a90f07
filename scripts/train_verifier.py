"""Train verify's linear model on the tune parts of both sets of statements; writes `data/model.json`.

Usage: python scripts/train_verifier.py. Multinomial logistic regression with an L2 penalty; statements that a rule
settles (verbatim, contradicted) are left out. Prints what ten-fold cross-validation by evidence text says.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from osler.nouns import Evidence
from osler.reasoning.verify import verdict
from osler.reasoning.verify.quantities import DATA
from osler.reasoning.verify.verdict import CHANCES, compare, verbatim, verify
from osler.splits import fold, split

TESTS = Path(__file__).parents[1] / "tests"
FILES = {
    "verification": TESTS / "sets" / "verification.jsonl",
    "verification_2": TESTS / "sets" / "verification_2.jsonl",
    "cases": TESTS / "reasoning" / "verification_cases.jsonl",  # written for the tests: all of them train
}
# The second set counts double: the rules that make the signals were written with the first one's tune part in view.
WEIGHTS = {"verification": 1.0, "verification_2": 2.0, "cases": 1.0}
# Which way a signal may move the chance of `supported`: what is missing or out of place never raises it.
RAISE = {"coverage", "sentence", "binding"}
LOWER = {"rare", "rares", "concept missing", "number missing", "concept polarity", "half", "crossing"}
PENALTY, STEPS, FOLDS = 5.0, 1500, 10
Matrix = NDArray[np.float64]


class Pair(NamedTuple):
    data_set: str
    statement: str
    texts: list[str]
    verdict: str


def pairs() -> Iterator[Pair]:
    for name, file in FILES.items():
        for line in file.read_text(encoding="utf-8").splitlines():
            row: dict[str, Any] = json.loads(line)
            texts = [item["text"] for item in row["evidence"]]
            if name == "cases" or split(name, "".join(texts)) == "tune":
                yield Pair(name, row["statement"], texts, row["verdict"])


def trainable(found: list[Pair]) -> tuple[list[Pair], list[dict[str, float]]]:
    """The pairs that no rule settles, with their signals."""
    kept, values = [], []
    for pair in found:
        compared = compare(pair.statement, pair.texts)
        if compared and not compared.signals.against and not any(verbatim(pair.statement, t) for t in pair.texts):
            kept.append(pair)
            values.append(compared.signals.values)
    return kept, values


def fit(kept: list[Pair], values: list[dict[str, float]]) -> dict[str, list[float]]:
    """Weights of each raw signal for each verdict, by accelerated projected gradient descent."""
    names = list(values[0])
    raw = np.array([[value[name] for name in names] for value in values])
    mean, deviation = raw.mean(0), raw.std(0) + 1e-9
    x = np.hstack([(raw - mean) / deviation, np.ones((len(raw), 1))])
    truth = np.array([[_learnt(pair) == name for name in CHANCES] for pair in kept], float)
    counts = np.array([WEIGHTS[pair.data_set] for pair in kept])[:, None]
    penalty = np.full((x.shape[1], 1), PENALTY)
    penalty[-1] = 0.0
    least = np.array([0.0 if name in RAISE else -np.inf for name in [*names, "bias"]])
    most = np.array([0.0 if name in LOWER else np.inf for name in [*names, "bias"]])
    step = 1 / (0.5 * np.linalg.norm(x * np.sqrt(counts), 2) ** 2 + PENALTY)
    weights = ahead = np.zeros((x.shape[1], len(CHANCES)))
    momentum = 1.0
    for _ in range(STEPS):
        moved = ahead - step * (x.T @ ((_softmax(x @ ahead) - truth) * counts) + penalty * ahead)
        moved[:, 0] = np.clip(moved[:, 0], least, most)
        faster = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = moved + (momentum - 1) / faster * (moved - weights)
        weights, momentum = moved, faster
    scaled = weights[:-1] / deviation[:, None]
    bias = weights[-1] - mean @ scaled
    rows = dict(zip(names, scaled, strict=True)) | {"bias": bias}
    return {name: [round(float(value), 3) for value in row] for name, row in rows.items()}


def _learnt(pair: Pair) -> str:
    """A contradiction for which no rule finds a reason is learnt as unsupported, the safe name."""
    return "unsupported" if pair.verdict == "contradicted" else pair.verdict


def _softmax(scores: Matrix) -> Matrix:
    chances = np.exp(scores - scores.max(1, keepdims=True))
    return np.asarray(chances / chances.sum(1, keepdims=True))


def cross_validate(found: list[Pair]) -> None:
    """The verdict of each pair by a model that saw no pair on its evidence."""
    kept, values = trainable(found)
    folds = [fold("verification", "".join(pair.texts), FOLDS) for pair in kept]
    said: dict[int, str] = {}
    for number in range(FOLDS):
        others = [i for i, one in enumerate(folds) if one != number]
        model = fit([kept[i] for i in others], [values[i] for i in others])
        verdict._model = lambda model=model: model  # type: ignore[assignment, misc]
        for i, pair in enumerate(found):
            if fold("verification", "".join(pair.texts), FOLDS) == number:
                said[i] = verify(pair.statement, [Evidence(id="1", kind="record", text=t) for t in pair.texts]).verdict
    labels = (*CHANCES, "contradicted")
    for name in WEIGHTS:
        mine = [i for i, pair in enumerate(found) if pair.data_set == name]
        scores = []
        for label in labels:
            right = sum(found[i].verdict == said[i] == label for i in mine)
            scores.append(2 * right / sum((found[i].verdict == label) + (said[i] == label) for i in mine))
        wrong = [said[i] for i in mine if found[i].verdict in ("unsupported", "contradicted")]
        each = ", ".join(f"{label} {score:.3f}" for label, score in zip(labels, scores, strict=True))
        print(f"{name}: n {len(mine)}, macro-F1 {sum(scores) / 4:.3f}, F1 {each};", end=" ")
        print(f"called supported wrongly {wrong.count('supported') / len(wrong):.3f} of {len(wrong)}")


def main() -> None:
    found = list(pairs())
    kept, values = trainable(found)
    model = {"verdicts": CHANCES, "pairs": len(kept), "weights": fit(kept, values)}
    lines = json.dumps(model, indent=1).replace("[\n   ", "[").replace(",\n   ", ", ").replace("\n  ]", "]")
    (DATA / "model.json").write_text(lines + "\n", encoding="utf-8")
    print(f"{len(kept)} of {len(found)} pairs, which no rule settles; {len(values[0])} signals")
    cross_validate(found)


if __name__ == "__main__":
    main()
