"""Bring your own: what an import says, what it leaves out, and that it acts only once it is approved."""

import hashlib
from pathlib import Path

import pytest

from osler.errors import InputError, IntegrityError
from osler.knowledge.graph import Graph
from osler.knowledge.graph.imports import check, pack_in_force, shipped_pack
from osler.knowledge.graph.store import Pack
from osler.knowledge.sources import Report, Sources
from osler.ledger import Ledger
from osler.settings import Settings, load_settings

NODES = """id\tcategory\tname\tsynonym\txref
HOSP:1\tbiolink:Disease\tKeller valley fever\tvalley shivers|KVF\t
HP:0001945\tbiolink:PhenotypicFeature\tHigh temperature\t\t
MARF:1\tbiolink:Disease\tMarfan disease\t\tOMIM:154700
bad id\tbiolink:Disease\tx\t\t
X:9\tbiolink:Cell\ty\t\t
Z:1\tbiolink:NamedThing\tz\t\t
Z:2\tshort row
"""
EDGES = """subject\tpredicate\tobject\tpublications\tfrequency_qualifier\tnegated
HOSP:1\tbiolink:has_phenotype\tHP:0001945\tPMID:1\t9/10\t
HOSP:1\tbiolink:has_phenotype\tHP:0002829\tPMID:1\toften\t
HOSP:1\tbiolink:likes\tHP:0002829\tPMID:1\t\t
HOSP:1\tbiolink:has_phenotype\tHP:8888888\tPMID:1\t\t
MARF:1\tbiolink:has_phenotype\tHP:0001166\tPMID:2\t\ttrue
HP:0000118\tbiolink:subclass_of\tHP:0001945\t\t\t
"""
OBO = """format-version: 1.4

[Term]
id: HOSP:2
name: river\\W cough
def: "A cough of \\"the river\\"\\, loud.\\nIt ends\\tsoon \\\\ late\\: (rarely\\)." [HOSP:me]
synonym: "riverside cough" EXACT []
synonym: "old name" EXACT obsolete_synonym []
is_a: MONDO:0005087 ! respiratory system disorder

[Term]
id: HOSP:3
name: former cough
is_obsolete: true
replaced_by: HOSP:2

[Typedef]
id: part_of
"""


def given(folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nodes.tsv").write_text(NODES)
    (folder / "edges.tsv").write_text(EDGES)
    (folder / "own.obo").write_text(OBO)
    return [folder]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load_settings({"home": tmp_path_factory.mktemp("imports") / "home"}, environment={})


@pytest.fixture(scope="module")
def approved(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Graph:
    paths = given(tmp_path_factory.mktemp("given"))
    report = check(paths, "keller", settings, "disease")
    Sources(settings).add("keller", "graph", paths, report, "internal", "the hospital", "disease")
    assert pack_in_force(settings) == shipped_pack()  # imported, not approved: it does not act
    Sources(settings).approve("keller", "the librarian", "read and compared")
    return Graph(Pack(pack_in_force(settings)))


def test_the_report_says_what_differs_and_what_was_left_out(settings: Settings, tmp_path: Path) -> None:
    report = check(given(tmp_path), "keller", settings)
    assert {(item.id, item.what) for item in report.conflicts} == {
        ("HP:0001945", "label"),
        ("MARF:1", "label"),
        ("MONDO:0007947", "HP:0001166"),
    }
    left_out = {item.where.rpartition("/")[2]: item.why for item in report.unused}
    assert left_out["nodes.tsv:5"] == "'bad id' is not a CURIE"
    assert "Cell" in left_out["nodes.tsv:6"]
    assert "Z:1: its kind is not said" in left_out["nodes.tsv:7"]
    assert left_out["nodes.tsv:8"] == "2 columns where the header has 5"
    assert "frequency" in left_out["edges.tsv:3"]
    assert "likes" in left_out["edges.tsv:4"]
    assert "HP:8888888" in left_out["HOSP:1 has_phenotype HP:8888888"]
    assert "circle" in left_out["HP:0000118 is_a HP:0001945"]
    assert "HOSP:2: its kind is not said" in left_out["own.obo:3"]
    assert report.counts["dangling edges"] == 2  # HP:8888888, and HOSP:2 whose kind nobody said


def test_approved_terms_and_edges_are_in_the_graph(approved: Graph) -> None:
    [edge] = approved.edges("HOSP:1", "has_phenotype")
    assert (edge.object, edge.frequency_text, edge.reference, edge.source) == ("HP:0001945", "9/10", "PMID:1", "keller")
    assert [node.id for node in approved.resolve("KVF", limit=1)] == ["HOSP:1"]
    assert approved.canonical("MARF:1") == "MONDO:0007947"
    assert "Marfan disease" in approved.node("MONDO:0007947").synonyms
    assert approved.label("HP:0001945") == "Fever"
    assert approved.node("HOSP:2").label == "river cough"
    assert approved.node("HOSP:2").definition == 'A cough of "the river", loud. It ends soon \\ late: (rarely).'
    assert approved.descends("HOSP:2", "MONDO:0005087")
    assert approved.canonical("HOSP:3") == "HOSP:2"
    assert approved.versions["keller"]


def test_the_shipped_graph_is_whole_inside(approved: Graph) -> None:
    shipped = Graph(Pack(shipped_pack()))
    assert approved.edges("MONDO:0007947", "has_phenotype")[:5] == shipped.edges("MONDO:0007947", "has_phenotype")[:5]
    assert set(shipped.ids) < set(approved.ids)


def test_an_approval_is_of_one_content_by_one_home(approved: Graph, settings: Settings) -> None:
    sources = Sources(settings)
    [source] = sources.acting("graph")
    sheet = settings.home / "sources" / "keller" / source.version / "source.json"
    before = sheet.read_text()
    sheet.write_text(before.replace("the librarian", "somebody else"))
    assert sources.acting("graph") == []
    sheet.write_text(before)
    file = sheet.parent / "files" / "nodes.tsv"
    file.write_text(NODES.replace("Keller", "Miller"))
    with pytest.raises(IntegrityError, match=r"nodes\.tsv"):
        sources.files(source)
    file.write_text(NODES)


def test_sheet_and_files_altered_together_act_no_more(approved: Graph, settings: Settings) -> None:
    sources = Sources(settings)
    [source] = sources.acting("graph")
    folder = settings.home / "sources" / "keller" / source.version
    before, changed = (folder / "source.json").read_text(), NODES.replace("Keller", "Miller")
    (folder / "files" / "nodes.tsv").write_text(changed)
    forged = before.replace(source.files["nodes.tsv"], hashlib.sha256(changed.encode()).hexdigest())
    (folder / "source.json").write_text(forged)
    assert sources.acting("graph") == []
    (folder / "files" / "nodes.tsv").write_text(NODES)
    (folder / "source.json").write_text(before)
    assert sources.acting("graph") == [source]


def test_what_acts_is_in_the_ledger_first(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = Sources(settings)
    (tmp_path / "set.csv").write_text("a,b\n")
    sources.add("pairs", "interactions", [tmp_path], Report(counts={}))

    def full(self: Ledger, *_: object, **__: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "append", full)
        with pytest.raises(OSError, match="no space"):
            sources.approve("pairs", "somebody", "why")
        assert sources.acting("interactions") == []
    approved, entry = sources.approve("pairs", "somebody", "why")
    payload = Ledger.open(settings).payload(entry.id)
    assert (payload["version"], payload["approval"]["by"]) == (approved.version, "somebody")
    _, entry = sources.remove("pairs", "somebody", "over")
    assert Ledger.open(settings).payload(entry.id)["sources"] == [
        {"name": "pairs", "version": approved.version, "kind": "interactions"}
    ]


def test_another_content_waits_while_the_approved_one_acts(approved: Graph, settings: Settings, tmp_path: Path) -> None:
    sources = Sources(settings)
    [acting] = sources.acting("graph")
    (tmp_path / "edges.tsv").write_text(EDGES.replace("9/10", "1/10"))
    report = check([tmp_path], "keller", settings)
    newer = sources.add("keller", "graph", [tmp_path], report)
    assert sources.acting("graph") == [acting]
    assert [item.version for item in sources.remove("keller", "the librarian", "wrong", newer.version)[0]] == [
        newer.version
    ]
    with pytest.raises(InputError, match="no source is called"):
        sources.remove("keller", "the librarian", "wrong", newer.version)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.tsv", b"name\tcolour\nx\tred\n", "neither a KGX node table"),
        ("a.tsv", b"", "neither a KGX node table"),
        ("a.obo", b"format-version: 1.4\n", "no \\[Term\\]"),
        ("a.obo", b"[Term]\nid: \xff\xfe", "not valid UTF-8"),
        ("a.txt", b"x", "no OBO file"),
        ("a.tsv", b"id\tcategory\n", "nothing in it could be used"),
    ],
)
def test_what_is_no_source_is_refused(settings: Settings, tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        check([tmp_path / name], "x", settings)


def test_names_and_approvals_are_checked(settings: Settings, tmp_path: Path) -> None:
    sources = Sources(settings)
    with pytest.raises(InputError, match="shipped"):
        check(given(tmp_path), "hpo", settings)
    with pytest.raises(InputError, match="can't name a source"):
        sources.add("../up", "graph", given(tmp_path), check(given(tmp_path), "x", settings))
    with pytest.raises(InputError, match="reason"):
        sources.approve("keller", "somebody", " ")
    with pytest.raises(InputError, match="no source is called"):
        sources.approve("nothing", "somebody", "why")
