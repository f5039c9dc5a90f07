"""What the bench asks a model it asks once, whichever method asks; a run survives an endpoint that dies and a kill."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support.endpoint import Reply, chat, serving
from tests.support.scripted import ScriptedModel

from osler.bench import runner
from osler.bench.memory import Remembering
from osler.bench.method_figures import method_figures
from osler.errors import EndpointError
from osler.models import Message, Request, ScoreRequest
from osler.reasoning.resources import Resources
from osler.settings import load_settings

N = 24


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A user's own task of N short questions, each with the text to answer from."""
    rows = [{"question": f"Is {n} so?", "options": ["this", "that"], "answer": n % 2, "id": str(n)} for n in range(N)]
    path = tmp_path / "own.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def request(text: str) -> Request:
    return Request(messages=[Message("user", text)], max_tokens=5)


def test_a_call_is_made_once_and_its_cost_is_counted_each_time(tmp_path: Path) -> None:
    model = ScriptedModel(lambda asked: "said")
    first = Remembering(model, tmp_path)
    assert [made.text for made in first.generate([request("a"), request("b")])] == ["said", "said"]
    first.score([ScoreRequest([Message("user", "a")], ["A", "B"])])
    again = Remembering(model, tmp_path)
    again.generate([request("a"), request("c")])
    again.score([ScoreRequest([Message("user", "a")], ["A", "B"])])
    assert len(model.seen) == 3 and len(model.scored) == 1
    spent = again.take()
    assert spent.calls == 3 and spent.tokens_in > 0 and again.take().calls == 0


def test_a_line_that_a_kill_cut_off_is_asked_again(tmp_path: Path) -> None:
    model = ScriptedModel(lambda asked: "said")
    Remembering(model, tmp_path).generate([request("a")])
    [path] = tmp_path.glob("*.jsonl")
    path.write_text(path.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    assert Remembering(model, tmp_path).generate([request("a")])[0].text == "said"
    assert len(model.seen) == 2
    assert Remembering(model, tmp_path).generate([request("a")])[0].text == "said"
    assert len(model.seen) == 2


def test_an_endpoint_that_dies_half_way_loses_nothing(own: Path, tmp_path: Path) -> None:
    dies = [True]

    def answer(number: int, body: dict[str, object]) -> Reply:
        gone = Reply(status=400, body='{"error": {"message": "gone"}}')
        return gone if dies[0] and number >= 18 else chat("Answer: A")

    with serving(answer) as peer:
        given = {"home": tmp_path / "home", "models.language": f"openai:{peer.url}#m", "egress.allow": [peer.url]}
        settings = load_settings(given, environment={})
        with pytest.raises(EndpointError):
            runner.run(str(own), settings, "generated")
        before, dies[0] = len(peer.received), False
        made = runner.run(str(own), settings, "generated")
        assert len(made.replies) == N and before >= 18
        assert len(peer.received) - before == N - 16  # the first batch was kept


def test_a_kill_while_a_corpus_becomes_a_library_is_made_good(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "retrieval" / "nfcorpus_lc"
    folder.mkdir(parents=True)
    texts = [
        f"Passage number {n} tells of vitamin {n % 13} and of what it does in the body of a patient."
        for n in range(600)
    ]
    corpus = "".join(json.dumps({"_id": str(n), "title": "", "text": text}) + "\n" for n, text in enumerate(texts))
    (folder / "corpus.jsonl").write_text(corpus, encoding="utf-8")
    (folder / "queries.jsonl").write_text(
        json.dumps({"_id": "q", "text": "passage number 77"}) + "\n", encoding="utf-8"
    )
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\t77\t1\n", encoding="utf-8")
    environment = os.environ | {"OSLER_HOME": str(tmp_path / "home"), "OSLER_BENCH_DATA": str(tmp_path / "data")}
    command = [sys.executable, "-m", "osler", "bench", "run", "retrieval_nfcorpus", "--method", "osler", "--json"]
    begun = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    libraries, waited = tmp_path / "home" / "bench" / "libraries", time.monotonic()
    while not any(libraries.glob("*/*")) and begun.poll() is None and time.monotonic() - waited < 60:
        time.sleep(0.05)
    time.sleep(0.7)
    begun.send_signal(signal.SIGKILL)
    begun.wait()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    [made] = json.loads(done.stdout)
    assert [row["value"] for row in made["measurements"] if row["metric"] == "Recall@100"] == [1.0]


def test_a_run_leaves_its_headline_for_the_list_of_methods(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Resources, "model", ScriptedModel(lambda asked: "Answer: A"))
    settings = load_settings({"home": tmp_path / "home"}, environment={})
    runner.run(str(own), settings, "generated")
    [row] = [row for row in method_figures(settings) if row.task == "own"]
    assert (row.method, row.metric, row.value, row.n) == ("generated", "accuracy", 0.5, N)
