"""Opening the knowledge graph in a fresh process, and what is in it: prints the tables of graph.md."""

import platform
import statistics
import subprocess
import sys
from collections import Counter

import numpy as np

from osler.knowledge.graph import load_graph
from osler.knowledge.graph.nouns import KINDS, RELATIONS

RUNS = 7
COLD = """
import resource, time
begin = time.perf_counter()
from osler.knowledge.graph import load_graph
graph = load_graph()
{work}
print(time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
WORK = {
    "import and `load_graph()`": "",
    "... and one node by an equivalent identifier": 'graph.node("OMIM:154700")',
    "... and one name resolved": 'graph.resolve("marfan syndrome")',
    "... and edges into a phenotype": 'graph.edges("HP:0001166", "has_phenotype", "in")',
    "... and a path": 'graph.path("DRUGBANK:DB00945", "HP:0001945")',
    "... and every name of phenotypes, diseases, drugs": 'list(graph.names(["phenotype", "disease", "drug"]))',
}


def cold(work: str) -> tuple[float, float, float]:
    """Median and worst seconds and the largest memory in MB over fresh processes."""
    runs = []
    for _ in range(RUNS):
        done = subprocess.run(
            [sys.executable, "-c", COLD.format(work=work)], capture_output=True, text=True, check=True
        )
        runs.append([float(value) for value in done.stdout.split()])
    seconds = [run[0] for run in runs]
    return statistics.median(seconds), max(seconds), max(run[1] for run in runs)


def main() -> None:
    graph = load_graph()
    size = sum(graph.pack.sizes().values())
    print(f"Pack {size / 1e6:.1f} MB. Python {platform.python_version()}, numpy {np.__version__}, {RUNS} runs.\n")
    print("| fresh process | seconds, median | worst | memory, MB |\n|---|---|---|---|")
    for name, work in WORK.items():
        median, worst, memory = cold(work)
        print(f"| {name} | {median:.2f} | {worst:.2f} | {memory:.0f} |")
    kinds = Counter(graph.pack.array("node_kind").tolist())
    print("\n| nodes | number |\n|---|---|")
    for number, kind in enumerate(KINDS):
        print(f"| {kind} | {kinds[number]:,} |")
    sources = [source.name for source in graph.sources]
    pairs = Counter(zip(graph.table.relation.tolist(), graph.pack.array("edge_source").tolist(), strict=True))
    print("\n| edges | source | number |\n|---|---|---|")
    for (relation, source), number in sorted(pairs.items()):
        print(f"| {RELATIONS[relation]} | {sources[source]} | {number:,} |")
    english = sum(1 for _ in graph.names(KINDS))
    chinese = sum(1 for _ in graph.names(KINDS, "zh"))
    print(f"\nNames: {english:,} English, {chinese:,} Chinese. Aliases: {len(graph.pack.strings('alias')):,}.")


if __name__ == "__main__":
    main()
