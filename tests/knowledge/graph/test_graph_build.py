"""The build: parts of it on small inputs, and that compiling is the same whatever the order of hashing."""

import subprocess
import sys
from pathlib import Path

import pytest

from osler.knowledge.graph import Graph
from osler.knowledge.graph.compile import Builder, EdgeRow, frequency_number, write
from osler.knowledge.graph.store import Pack

SMALL = """
import sys
from pathlib import Path
from osler.knowledge.graph.compile import Builder, EdgeRow, write
b = Builder()
for k in {"HP:1", "HP:2", "HP:3"}: b.term(k, "finding " + k, "phenotype").add("name of " + k, "exact")
b.term("MONDO:1", "disease", "disease")
b.alias["OMIM:1"] = ("MONDO:1", "equivalent")
for k in {"HP:1", "HP:2", "HP:3"}: b.edges.append(EdgeRow("OMIM:1", "has_phenotype", k, "s", "1/2", "PMID:1", "OMIM:1"))
write(b, [{"name": "s", "version": "1", "licence": "l", "attribution": "a", "sha256": ""}], Path(sys.argv[1]))
"""


def test_compiling_is_deterministic(tmp_path: Path) -> None:
    packs = []
    for seed in ("1", "2"):
        out = tmp_path / seed
        subprocess.run([sys.executable, "-c", SMALL, str(out)], check=True, env={"PYTHONHASHSEED": seed})
        packs.append(out.read_bytes())
    assert packs[0] == packs[1]


def test_edges_of_equivalents_join_and_dangling_ones_are_counted(tmp_path: Path) -> None:
    builder = Builder()
    builder.term("HP:1", "finding", "phenotype")
    builder.term("MONDO:1", "disease", "disease")
    builder.alias["OMIM:1"] = ("MONDO:1", "equivalent")
    builder.edges.append(EdgeRow("OMIM:1", "has_phenotype", "HP:1", "s", "2/8", "PMID:1", "OMIM:1"))
    builder.edges.append(EdgeRow("OMIM:1", "has_phenotype", "HP:404", "s"))
    source = {"name": "s", "version": "1", "licence": "l", "attribution": "a", "sha256": ""}
    counts = write(builder, [source], tmp_path / "p")
    assert (counts["edges"], counts["dangling"]) == (1, 1)
    edge = Graph(Pack(tmp_path / "p")).edges("OMIM:1")[0]
    assert (edge.subject, edge.stated_for, edge.frequency, edge.reference) == ("MONDO:1", "OMIM:1", 0.25, "PMID:1")


@pytest.mark.parametrize(
    ("text", "share"), [("HP:0040280", 1.0), ("HP:0040285", 0.0), ("45%", 0.45), ("3/4", 0.75), ("0/12", 0.0)]
)
def test_frequencies(text: str, share: float) -> None:
    assert frequency_number(text) == pytest.approx(share)


def test_no_frequency_is_not_a_number() -> None:
    assert frequency_number("") != frequency_number("")
