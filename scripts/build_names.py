"""Builds the table of names that ships with `knowledge.concepts`: `python scripts/build_names.py` after names change.

A test fails while the shipped table is older than the names it stands for.
"""

import sys
from pathlib import Path

from osler.knowledge import concepts
from osler.knowledge.concepts.index import Index
from osler.knowledge.concepts.recogniser import all_names, index_key
from osler.knowledge.graph import load_graph


def main() -> None:
    """Write `data/names.npz` of the concepts room."""
    graph = load_graph()
    index = Index.build(all_names(graph))
    file = Path(concepts.__file__).parent / "data" / "names.npz"
    index.save(file, index_key(graph))
    print(f"{file.name}: {len(index.arrays['keys'])} names, {file.stat().st_size / 1e6:.1f} MB", file=sys.stderr)


if __name__ == "__main__":
    main()
