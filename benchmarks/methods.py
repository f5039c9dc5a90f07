"""Every method of answering on question sets: accuracy, what its confidence is worth, and what an item costs.

    python benchmarks/methods.py --model SPEC [--tasks medqa,pubmedqa,bioasq_yesno] [--methods a,b] [--limit 100]

Needs `bench.data`. The bench keeps every reply and call, so an interrupted run goes on where it stood. Report parts.
`--write` puts the headlines into `src/osler/bench/data/method_figures.jsonl`, which `osler methods` shows.
"""

import argparse
import json
import sys
from importlib.metadata import version
from pathlib import Path

from osler.bench.compare import compare
from osler.bench.runner import Finished, run
from osler.reasoning.registry import methods
from osler.settings import load_settings

FIGURES = Path(__file__).parents[1] / "src" / "osler" / "bench" / "data" / "method_figures.jsonl"
COLUMNS = ("accuracy", "accuracy of the surer half", "risk-coverage area", "calls", "tokens read", "tokens written")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--tasks", default="medqa,pubmedqa,bioasq_yesno")
    parser.add_argument("--methods", default=",".join(methods()))
    parser.add_argument("--limit", type=int, default=100)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    settings = load_settings({"models.language": given.model})
    name = given.model.rpartition("/")[2]
    print(f"{name}, osler {version('osler')}, {given.limit} items of each report part, seed 0")
    rows = []
    for task in given.tasks.split(","):
        print(
            f"\n| {task} | accuracy | against direct | surer half | risk-coverage area | calls | read | written | s |"
        )
        print("|---|---|---|---|---|---|---|---|---|")
        direct: Finished | None = None
        order = sorted(given.methods.split(","), key=lambda method: (method != "direct", method))
        for method in order:
            made = run(task, settings, method, limit=given.limit, progress=lambda done, of: show(done, of))
            direct = made if method == "direct" else direct
            print(line(made, direct), flush=True)
            rows.append(made.measurements[0].model_copy(update={"model": name if made.card.model else None}))
    if given.write:
        mine = {(row.method, row.task, row.model) for row in rows}
        old = [json.loads(text) for text in FIGURES.read_text(encoding="utf-8").splitlines()]
        kept = [row for row in old if (row["method"], row["task"], row["model"]) not in mine]
        lines = [json.dumps(row, ensure_ascii=False) for row in [*kept, *(row.model_dump(mode="json") for row in rows)]]
        FIGURES.write_text("".join(f"{text}\n" for text in lines), encoding="utf-8")


def show(done: int, of: int) -> None:
    print(f"\r{done}/{of} ", end="", file=sys.stderr, flush=True)


def line(made: Finished, direct: Finished | None) -> str:
    """A row of the table. `against direct`: the paired difference with its interval."""
    by_name = {row.metric: row for row in made.measurements}
    accuracy = by_name["accuracy"]
    low, high = accuracy.interval or (0.0, 0.0)
    cells = [f"{made.card.method}", f"{accuracy.value:.3f} [{low:.3f}, {high:.3f}]"]
    if accuracy.unparsed:
        cells[1] += f", {accuracy.unparsed} without"
    paired = compare(direct, made) if direct and direct is not made else None
    cells.append(f"{paired.difference:+.3f} [{paired.interval[0]:+.3f}, {paired.interval[1]:+.3f}]" if paired else "")
    cells += [f"{by_name[name].value:.3g}" if name in by_name else "" for name in COLUMNS[1:]]
    seconds = sum(reply.seconds for reply in made.replies) / len(made.replies)
    return f"| {' | '.join(cells)} | {seconds:.1f} |"


if __name__ == "__main__":
    main()
