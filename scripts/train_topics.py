"""Fit the topics of `osler.clinic.reports.said`: what a sentence of a note or a dialogue is about.

    python scripts/train_topics.py ../shared/data

Trains on MTS-Dialog train (each dialogue and its section belong to the headed section) and ACI-Bench train (a sentence
of a note belongs to the section it stands in; one of a dialogue to the section of the note's sentence most like it, to
none where no sentence is like it). Both CC BY 4.0. Prints five-fold accuracy by encounter, then writes the weights.
"""

import gzip
import json
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from osler.clinic.reports.said import MODEL, Unit, features, units_of
from osler.models.embedder import load_embedder
from osler.record import read_text

TOPICS = {
    "none": "",
    "complaint": "CC|CHIEF COMPLAINT",
    "history": "GENHX|ROS|EDCOURSE|HISTORY OF PRESENT ILLNESS|REVIEW OF SYSTEMS|HPI|INTERVAL HISTORY",
    "past": "PASTMEDICALHX|PASTSURGICAL|GYNHX|IMMUNIZATIONS|OTHER_HISTORY|PAST HISTORY|PAST MEDICAL HISTORY|"
    "MEDICAL HISTORY|SURGICAL HISTORY|PAST SURGICAL HISTORY",
    "medication": "MEDICATIONS|CURRENT MEDICATIONS",
    "allergy": "ALLERGY|ALLERGIES",
    "social": "FAM/SOCHX|SOCIAL HISTORY|FAMILY HISTORY",
    "exam": "EXAM|PHYSICAL EXAM|PHYSICAL EXAMINATION|VITALS|VITALS REVIEWED|EXAMINATION",
    "result": "IMAGING|LABS|PROCEDURES|RESULTS",
    "assessment": "ASSESSMENT|DIAGNOSIS|IMPRESSION",
    "plan": "PLAN|DISPOSITION|INSTRUCTIONS",
}
OF_HEADING = {heading: topic for topic, names in TOPICS.items() for heading in names.split("|")}
PLANNED = re.compile(
    r"\b(will|recommend\w*|order\w*|prescri\w*|refer\w*|follow|continue\w*|start|increase|advis\w*|return|encourag\w*)\b",
    re.I,
)
LIKE, UNLIKE = 0.6, 0.3  # quantiles of likeness from which a spoken sentence is in the note, and below which it is not
RIDGE = 3.0
STEPS = 400


def main() -> None:
    folder, embedder = Path(sys.argv[1]) / "notes", load_embedder()
    rows: list[tuple[str, Unit, str]] = []
    with gzip.open(folder / "mtsdialog_train.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            topic, group = OF_HEADING[row["section_header"]], f"mts {row['ID']}"
            for kind, text in (("note", row["section_text"]), ("dialogue", row["dialogue"])):
                rows += [(group, unit, topic) for unit in spoken(text, kind) if len(unit.text) > 30]
    for line in (folder / "acibench_train.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        group = f"aci {row['id']}"
        written = list(sectioned(row["note"]))
        rows += [(group, unit, topic) for unit, topic in written]
        dialogue = re.sub(r"^\[(doctor|patient)\]", lambda m: f"{m[1].title()}:", row["dialogue"], flags=re.M)
        units = spoken(dialogue, "dialogue")
        known = embedder.embed_queries([unit.text for unit, _ in written])
        near = embedder.embed_queries([unit.text for unit in units]) @ known.T
        low, high = np.quantile(near.max(1), [UNLIKE, LIKE])
        for unit, similar in zip(units, near, strict=True):
            if similar.max() >= high:
                rows.append((group, unit, written[int(similar.argmax())][1]))
            elif similar.max() < low:
                rows.append((group, unit, "none"))
    names = list(TOPICS)
    x = features([unit for _, unit, _ in rows], embedder)
    y = np.array([names.index(topic) for _, _, topic in rows])
    print(Counter(topic for _, _, topic in rows))
    groups = sorted({group for group, _, _ in rows})
    fold = {group: place % 5 for place, group in enumerate(np.random.default_rng(0).permutation(groups))}
    of = np.array([fold[group] for group, _, _ in rows])
    said = np.zeros(len(rows), int)
    for k in range(5):
        said[of == k] = (x[of == k] @ fit(x[of != k], y[of != k], len(names))).argmax(1)
    print(f"five folds by encounter: n {len(rows)}, accuracy {(said == y).mean():.3f}")
    for place, name in enumerate(names):
        hit = ((said == place) & (y == place)).sum()
        recall, precision = hit / max(1, (y == place).sum()), hit / max(1, (said == place).sum())
        print(f"  {name}: recall {recall:.2f}, precision {precision:.2f}")
    weights = fit(x, y, len(names))
    made = {"topics": names, "weights": [[round(float(value), 4) for value in row] for row in weights]}
    MODEL.write_text(json.dumps(made) + "\n", encoding="utf-8")


def spoken(text: str, kind: str) -> list[Unit]:
    try:
        return units_of(read_text(text, kind).documents[0])  # type: ignore[arg-type]
    except Exception as error:
        print("left out:", error)
        return []


def sectioned(note: str) -> list[tuple[Unit, str]]:
    """The sentences of an ACI-Bench note with their topics; of a section that is both, by its words."""
    found, topic = [], "none"
    for block in note.split("\n"):
        line = block.strip(" •-\t")
        if line.isupper() and len(line) < 60:
            topic = "both" if "ASSESSMENT" in line and "PLAN" in line else OF_HEADING.get(line, "none")
        elif line and topic != "none":
            for unit in spoken(line, "note"):
                found.append(
                    (unit, topic if topic != "both" else "plan" if PLANNED.search(unit.text) else "assessment")
                )
    return found


def fit(x: np.ndarray, y: np.ndarray, size: int) -> np.ndarray:
    """Multinomial logistic regression, classes weighted by the root of their rarity, by Adam over all rows."""
    rarity = np.sqrt(len(y) / np.maximum(1, np.bincount(y, minlength=size)))
    share = rarity[y][:, None] / rarity[y].sum()
    weights = np.zeros((x.shape[1], size))
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    wanted = np.eye(size)[y]
    for step in range(1, STEPS + 1):
        scores = x @ weights
        chances = np.exp(scores - scores.max(1, keepdims=True))
        chances /= chances.sum(1, keepdims=True)
        slope = x.T @ ((chances - wanted) * share) + RIDGE / len(y) * weights
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
        weights -= 0.03 * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return weights


if __name__ == "__main__":
    main()
