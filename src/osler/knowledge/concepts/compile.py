"""Builds the index that ships with the package: `python -m osler.knowledge.concepts.compile` after the names change.

A test fails while the shipped index is older than the names it stands for.
"""

import sys
from pathlib import Path

from osler.knowledge.concepts.index import Index
from osler.knowledge.concepts.recogniser import all_names, index_key
from osler.knowledge.graph import load_graph


def main() -> None:
    """Write `data/names.npz` beside this module."""
    graph = load_graph()
    index = Index.build(all_names(graph))
    file = Path(__file__).parent / "data" / "names.npz"
    index.save(file, index_key(graph))
    print(f"{file.name}: {len(index.keys)} word sequences, {file.stat().st_size / 1e6:.1f} MB", file=sys.stderr)


if __name__ == "__main__":
    main()
