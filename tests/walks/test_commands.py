"""Every command as a user meets it: output, exit code, and a clear word when the input is bad."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CASES = sorted(path.name for path in EXAMPLES.iterdir() if path.suffix in (".txt", ".json"))


def _valid(value, noun):
    schema = json.loads((SCHEMAS / f"{noun}.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(value)


def test_help_is_quick_and_lists_commands(osler):
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        done = osler("--help")
        seconds.append(time.perf_counter() - started)
    assert done.returncode == 0
    assert "consult" in done.stdout
    assert min(seconds) < 0.6  # 0.1 s on an idle machine; the bound leaves room for a busy one


def test_every_command_has_help(osler):
    from osler.cli import COMMANDS

    for name in COMMANDS:
        done = osler(name, "--help")
        assert done.returncode == 0, done.stderr
        served = name in ("serve", "mcp")
        assert served or "--json" in done.stdout or "Commands" in done.stdout or "--jsonl" in done.stdout


def test_usage_error_is_2(osler):
    assert osler("consult").returncode == 2
    assert osler("nonsense").returncode == 2
    assert osler("search").returncode == 2


def test_schemas_are_current():
    script = Path(__file__).resolve().parents[2] / "scripts" / "build_schemas.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", CASES)
def test_consult_on_every_example(osler_json, name):
    result = osler_json("consult", str(EXAMPLES / name), "--json")
    _valid(result, "Consult")
    cited = {item["id"] for item in result["evidence"]}
    for statement in result["answer"]["statements"]:
        assert statement["evidence"], statement
        assert set(statement["evidence"]) <= cited
    for alert in result["alerts"]:
        assert set(alert["evidence"]) <= cited
    for flag in result["red_flags"]:
        assert set(flag["evidence"]) <= cited
    for finding in result["findings"]:
        document = next((d for d in result["case"]["documents"] if d["id"] == finding["source"]), None)
        if document is not None and finding["start"] is not None:
            assert document["text"][finding["start"] : finding["end"]] == finding["text"]
    assert all(item["probability"] is None for item in result["differential"])
    assert result["coverage"]["not_checked"]
    assert osler_json("ledger", "show", result["trace_id"], "--json")["entry"]["kind"] == "consult"


def test_consult_page(osler):
    done = osler("consult", str(EXAMPLES / "arterial-rupture.txt"))
    assert done.returncode == 0, done.stderr
    for part in ("Findings", "Differential", "Ask next", "Answer", "Sources", "Not checked", "osler ledger replay"):
        assert part in done.stdout
    assert "\x1b[" not in done.stdout  # no colour codes in a pipe
    assert max(len(line) for line in done.stdout.splitlines()) <= 100


def test_consult_replays(osler, osler_json):
    result = osler_json("consult", str(EXAMPLES / "chest-pain.zh.txt"), "--json")
    replayed = osler_json("ledger", "replay", result["trace_id"], "--json")
    assert replayed["same"], replayed["differences"][:3]


def test_consult_from_standard_input(osler_json):
    result = osler_json("consult", "-", "--json", stdin="A 30-year-old woman with fever and a stiff neck. No rash.")
    present = {f["label"] for f in result["findings"] if f["status"] == "present"}
    absent = {f["label"] for f in result["findings"] if f["status"] == "absent"}
    assert "Fever" in present
    assert absent


def test_consult_says_which_codes_nobody_knows(osler_json, tmp_path):
    features = [{"type": {"id": "HP:9999999", "label": "made up"}}, {"type": {"id": "HP:0001166"}}]
    path = tmp_path / "case.json"
    path.write_text(json.dumps({"id": "x", "phenotypicFeatures": features, "metaData": {}}))
    result = osler_json("consult", str(path), "--json")
    assert result["coverage"]["codes_unmapped"] == ["HP:9999999"]
    assert [item["code"] for item in result["findings"]] == ["HP:9999999", "HP:0001166"]
    assert not any("HP:9999999" in item["text"] for item in result["answer"]["statements"])


def test_ask_one_and_many(osler, osler_json, tmp_path):
    answer = osler_json("ask", "How is anaphylaxis treated?", "--json")
    assert answer["statements"]
    assert answer["statements"][0]["verdict"] == "supported"
    rows = [
        {"id": "1", "question": "What causes scurvy?"},
        {"id": "2", "question": "Which vitamin is missing in scurvy?", "options": {"A": "Vitamin C", "B": "Vitamin K"}},
        {"id": "3"},
    ]
    batch = tmp_path / "q.jsonl"
    batch.write_text("\n".join(json.dumps(row) for row in rows) + "\nnot json\n")
    done = osler("ask", str(batch), "--jsonl")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [line["id"] for line in lines] == ["1", "2", "3", None]
    for line in lines[:2]:
        _valid({key: value for key, value in line.items() if key not in ("id", "evidence")}, "Answer")
    assert lines[2]["error"]["kind"] == "input"
    assert "line 3" in lines[2]["error"]["where"]
    assert "line 4" in lines[3]["error"]["where"]


def test_concepts_batch(osler, tmp_path):
    batch = tmp_path / "t.jsonl"
    rows = [
        {"id": "a", "text": "No fever, but a seizure."},
        {"id": "b", "text": ""},
        {"id": "c", "text": "否认胸痛，有发热。"},
        {"id": 4, "text": "Short stature."},
    ]
    batch.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    done = osler("concepts", str(batch), "--jsonl", "--vocabulary", "hpo")
    lines = {line["id"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 1
    status = {f["label"]: f["status"] for f in lines["a"]["findings"]}
    assert status == {"Fever": "absent", "Seizure": "present"}
    assert lines["b"]["error"]["kind"] == "input"
    assert lines[4]["findings"][0]["source"] == "4"  # a number is an id too
    for finding in lines["c"]["findings"]:
        _valid(finding, "Finding")
    assert {f["code"]: f["status"] for f in lines["c"]["findings"]} == {"HP:0100749": "absent", "HP:0001945": "present"}


def test_diagnose_batch(osler, tmp_path):
    marfan = ["HP:0001166", "HP:0001083", "HP:0002616", "HP:0000767"]
    rows = [{"id": "m", "observed": marfan, "excluded": []}, {"id": "x", "observed": "HP:0001166"}]
    batch = tmp_path / "d.jsonl"
    batch.write_text("\n".join(map(json.dumps, rows)))
    done = osler("diagnose", str(batch), "--jsonl", "--top", "5")
    first, second = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 1
    assert len(first["ranked"]) == 5
    assert "MONDO:0007947" in [item["id"] for item in first["ranked"]]
    assert first["ranked"] == sorted(first["ranked"], key=lambda item: -item["score"])
    assert second["error"]["kind"] == "input"


def test_graph(osler, osler_json):
    assert osler_json("graph", "show", "HP:0001166", "--json")["node"]["label"] == "Arachnodactyly"
    assert osler_json("graph", "show", "发热", "--json")["node"]["id"] == "HP:0001945"
    assert osler_json("graph", "path", "metformin", "type 2 diabetes mellitus", "--json")["paths"]
    assert all(item["licence"] for item in osler_json("graph", "sources", "--json")["sources"])
    missing = osler("graph", "show", "qwertyuiop")
    assert missing.returncode == 1
    assert "qwertyuiop" in missing.stderr


def test_a_guideline_acts_between_approval_and_removal(osler, osler_json, tmp_path):
    said = "In Keller Hospital suspected sepsis is treated with {} within one hour of arrival."
    for name, head, drug in (
        ("now.md", "valid_from: 2020-01-01", "ceftriaxone and gentamicin"),
        ("old.md", "superseded_by: now.md", "cefuroxime"),
        ("wrong.md", "retracted: true", "chloramphenicol"),
        ("later.md", "valid_from: 2999-01-01", "phages"),
    ):
        title = f"title: Keller Hospital sepsis pathway {name}"
        (tmp_path / name).write_text(f"---\n{title}\n{head}\n---\n# First hour\n{said.format(drug)}\n")
    report = osler_json("graph", "import", "keller", str(tmp_path), "--json")
    assert report["kind"] == "guideline"
    assert report["report"]["counts"] == {"documents": 4, "superseded": 1, "retracted": 1}
    question = "How is suspected sepsis treated in Keller Hospital?"
    assert osler_json("ask", question, "--json")["abstained"]
    osler_json("graph", "approve", "keller", "--by", "the committee", "--reason", "read", "--json")
    answer = osler_json("ask", question, "--json")
    assert answer["statements"][0]["text"] == said.format("ceftriaxone and gentamicin")
    assert not any(drug in str(answer) for drug in ("cefuroxime", "chloramphenicol", "phages"))
    assert osler_json("ledger", "replay", answer["trace_id"], "--json")["same"]
    osler_json("graph", "remove", "keller", "--by", "the committee", "--reason", "replaced", "--json")
    assert osler_json("ask", question, "--json")["abstained"]
    assert osler("graph", "approve", "keller", "--by", "x", "--reason", "y").returncode == 1


def test_ingest_search_replace_delete(osler, osler_json, tmp_path):
    note = tmp_path / "guideline.md"
    note.write_text("# Snake bite\n\nGive antivenom early for systemic envenoming by a viper.\n")
    report = osler_json("ingest", "--library", "local", str(note), "--json")
    assert (report["added"], report["passages"]) == (1, 1)
    assert osler_json("ingest", "--library", "local", str(note), "--json")["unchanged"] == 1
    found = osler_json("search", "viper antivenom", "--library", "local", "--json")["results"]
    assert "antivenom" in found[0]["text"]
    document = found[0]["source"]["document_id"]
    osler_json("ingest", "--library", "local", "--delete", document, "--json")
    assert osler_json("search", "viper antivenom", "--library", "local", "--json")["results"] == []
    assert osler_json("jobs", "--json")[0]["status"] == "done"


def test_search_run_file(osler, tmp_path):
    queries = tmp_path / "q.jsonl"
    queries.write_text('{"_id": "q1", "text": "iron deficiency anemia"}\n')
    run = tmp_path / "out.trec"
    done = osler("search", "--library", "starter", "--queries", str(queries), "--run", str(run), "-k", "20")
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in run.read_text().splitlines()]
    assert len(lines) == 20
    assert [line[3] for line in lines] == [str(n) for n in range(1, 21)]
    assert {line[0] for line in lines} == {"q1"}


def test_deid(osler, tmp_path):
    batch = tmp_path / "n.jsonl"
    batch.write_text(json.dumps({"id": "1", "text": "Seen by Dr. Amara Okafor on 2024-03-05."}) + "\n")
    line = json.loads(osler("deid", str(batch), "--jsonl").stdout)
    assert {span["type"] for span in line["spans"]} == {"NAME", "DATE"}
    assert "Okafor" not in line["text"]


def test_doctor(osler_json):
    report = osler_json("doctor", "--json")
    states = {item["name"]: item["state"] for item in report["components"]}
    assert "missing" not in states.values(), states
    assert states["egress"] == "off"
    assert any(item["hash"] for item in report["components"] if item["name"].startswith("language model"))


def test_ledger_verifies_and_erases(osler, osler_json):
    result = osler_json("consult", "-", "--json", stdin="Patient with migraine and vomiting.")
    patient = result["case"]["patient"]["id"] or result["case"]["digest"]
    erased = osler_json("ledger", "erase", patient, "--by", "privacy officer", "--reason", "request", "--json")
    assert erased["erased"] == 1
    gone = osler("ledger", "show", result["trace_id"])
    assert gone.returncode == 1
    assert "erased" in gone.stderr
    assert osler_json("ledger", "verify", "--json")["valid"]


BAD = {
    "empty": b"",
    "binary": bytes(range(256)) * 20,
    "truncated": b'{"resourceType": "Bundle", "entry": [{"resource": {"resour',
    "encoding": b"fever \xff\xfe\xfa and cough \x80\x81",
    "not-json": b'{"resourceType" "Bundle"}',
    "other-json": b'{"hello": 1}',
}


@pytest.mark.parametrize("kind", sorted(BAD))
def test_bad_input_is_named(osler, tmp_path, kind):
    path = tmp_path / f"{kind}.txt"
    path.write_bytes(BAD[kind])
    done = osler("consult", str(path), "--json")
    assert done.returncode == 1
    assert done.stdout == ""
    assert path.name in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_and_too_large_files(osler, tmp_path):
    assert osler("consult", str(tmp_path / "nothing.txt")).returncode == 1
    large = tmp_path / "large.txt"
    with large.open("wb") as file:
        file.seek(200_000_000)
        file.write(b".")
    done = osler("consult", str(large))
    assert done.returncode == 1
    assert "large.txt" in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_component_is_3(osler):
    done = osler(
        "models", "admit", "gguf:/nowhere/model.gguf", "--task", "answer", "--provisional", "--by", "x", "--reason", "y"
    )
    assert done.returncode == 3
    assert "model.gguf" in done.stderr


def test_two_homes_never_meet(osler, osler_json, tmp_path):
    result = osler_json("consult", "-", "--json", stdin="Patient with fever.")
    other = osler("ledger", "show", result["trace_id"], OSLER_HOME=str(tmp_path / "other"))
    assert other.returncode == 1
    assert not os.path.exists(tmp_path / "other" / "library")
