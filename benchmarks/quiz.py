"""Written items: how many have a flaw, whether their keys are found by one who doesn't see them, how long they take.

    python benchmarks/quiz.py [--model SPEC] [--n 20] [--sheet FILE]

Ten topics in English and two in Chinese. The reader of the blind check gets stem, options and the texts of the item's
evidence in the order of the options' letters, without key and explanations; beside it the same reader without evidence,
and chance. `--sheet` writes 40 items, drawn with seed 0, to be read by eye.
"""

import argparse
import json
import random
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path

from osler.bench.leak import near_test_items
from osler.education.quiz import Wish, find_flaws, write_quiz
from osler.nouns import QuizItem
from osler.reasoning.asking import chat, likely
from osler.reasoning.registry import Question
from osler.reasoning.resources import Resources, Run
from osler.settings import load_settings
from osler.splits import split
from osler.statistics import wilson

TOPICS = (
    "asthma", "diabetes", "chest pain", "heart failure", "epilepsy", "anemia", "pneumonia", "connective tissue disease",
    "kidney failure", "antihypertensive drugs", "糖尿病", "贫血",
)  # fmt: skip
FLAWED = Path(__file__).parents[1] / "tests" / "education" / "flawed_items.jsonl"
LETTERS = "ABCDEFGH"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model")
    parser.add_argument("--n", type=int, default=20)
    parser.add_argument("--blind", type=int, default=60, help="items that the blind reader answers")
    parser.add_argument("--sheet", type=Path)
    given = parser.parse_args()
    settings = load_settings({"models.language": given.model} if given.model else {})
    resources = Resources(settings)
    known = near_test_items(settings)
    print(f"osler {version('osler')}, HPO {resources.graph.versions['hpo']}, library {resources.library.version}\n")
    print("| topic | items | items by level | flawed | seconds an item |")
    print("|---|---|---|---|---|")
    made: list[tuple[QuizItem, Run]] = []
    for topic in TOPICS:
        run, started = Run(resources, "quiz"), time.process_time()
        items = write_quiz(topic, run, Wish(given.n), known=known)
        spent = (time.process_time() - started) / max(1, len(items))
        flawed = [item for item in items if flaws(item)]
        levels = ", ".join(f"{level} {count}" for level, count in sorted(Counter(i.level for i in items).items()))
        print(f"| {topic} | {len(items)} | {levels} | {len(flawed)} | {spent:.2f} |", flush=True)
        made += [(item, run) for item in items]
    count = sum(bool(flaws(item)) for item, _ in made)
    print(f"\n{count} of {len(made)} items flawed by rule {told(count, len(made))}; near a test item refused: ", end="")
    print("looked for" if known else "not looked for (`bench.data` names no folder)")
    detector()
    if given.sheet:
        given.sheet.write_text(sheet(made), encoding="utf-8")
    if given.model:
        blind(random.Random(1).sample(made, min(given.blind, len(made))), given.model)


def detector() -> None:
    """How many of the labelled flaws of a set made without sight of the rules they find; its report half."""
    rows = [json.loads(line) for line in FLAWED.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if split("flawed_items", row["id"]) == "report"]
    found, missed, wrong = Counter[str](), Counter[str](), Counter[str]()
    for row in rows:
        got, want = set(find_flaws(row["stem"], row["options"], row["key"])), set(row["flaws"])
        found.update(got & want)
        missed.update(want - got)
        wrong.update(got - want)
    clean = [row for row in rows if not row["flaws"]]
    flagged = sum(bool(find_flaws(row["stem"], row["options"], row["key"])) for row in clean)
    print(f"\n| flaw ({len(rows)} labelled items, report half) | found | false |\n|---|---|---|")
    for name in sorted(found | missed | wrong):
        print(f"| {name} | {found[name]}/{found[name] + missed[name]} | {wrong[name]} |")
    hits, labels, said = found.total(), found.total() + missed.total(), found.total() + wrong.total()
    print(f"| all | {hits}/{labels} {told(hits, labels)} | precision {hits / said:.3f} {told(hits, said)} |")
    print(f"\n{flagged} of {len(clean)} sound items flagged {told(flagged, len(clean))}")


def flaws(item: QuizItem) -> list[str]:
    texts = [choice.text for choice in item.options]
    return find_flaws(item.stem, texts, [choice.correct for choice in item.options].index(True))


def blind(made: list[tuple[QuizItem, Run]], model: str) -> None:
    """Keys found by a model that sees evidence, by the same without, and by chance."""
    print(f"\n| blind reader {model.rpartition('/')[2]} | keys found | 95 % |\n|---|---|---|")
    for name, shows in (("with the item's evidence", True), ("without", False)):
        right = 0
        for item, run in made:
            evidence = [run.evidence[one] for one in item.evidence] if shows else []
            random.Random(item.id).shuffle(evidence)
            options = {LETTERS[n]: choice.text for n, choice in enumerate(item.options)}
            found = likely(chat(Question(text=item.stem, options=options), "letter", read=evidence), list(options), run)
            right += item.options[LETTERS.index(max(found, key=found.__getitem__))].correct
        print(f"| {name} | {right}/{len(made)} = {right / len(made):.3f} | {told(right, len(made))} |", flush=True)
    chance = sum(1 / len(item.options) for item, _ in made) / len(made)
    print(f"| chance | {chance:.3f} | |")


def told(count: int, n: int) -> str:
    low, high = wilson(count, n)
    return f"[{low:.3f}, {high:.3f}]"


def sheet(made: list[tuple[QuizItem, Run]]) -> str:
    drawn = random.Random(0).sample(made, min(40, len(made)))
    lines = []
    for number, (item, _) in enumerate(drawn, start=1):
        lines.append(f"**{number}** ({item.topic}; {item.kind}, {item.level}) {item.stem}")
        lines += [f"- {'**' if c.correct else ''}{c.text}{'**' if c.correct else ''}: {c.why}" for c in item.options]
        lines += ["", "Read: ", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
