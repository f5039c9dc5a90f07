"""The in-process path with a model that can write (opt-in: OSLER_DEV_MODEL names its GGUF file)."""

import json
import os
from collections.abc import Iterator

import pytest

from osler.models import Message, Request, ScoreRequest
from osler.models.gguf import GgufModel
from osler.settings import load_settings
from osler.text import has_chinese

DEV = os.environ.get("OSLER_DEV_MODEL", "")
pytestmark = [pytest.mark.dev_model, pytest.mark.skipif(not DEV, reason="OSLER_DEV_MODEL is not set")]

PASSAGES = (
    "[E1] Thiazide diuretics can lower serum potassium.\n"
    "[E2] Hypokalaemia may cause muscle weakness and arrhythmia.\n"
    "[E3] Paracetamol is an analgesic."
)
SCHEMA = {
    "type": "object",
    "properties": {
        "statements": {
            "type": "array",
            "minItems": 1,
            "maxItems": 2,
            "items": {
                "type": "object",
                "properties": {
                    "text": {"type": "string", "maxLength": 120},
                    "evidence": {"type": "array", "items": {"enum": ["E1", "E2", "E3"]}, "minItems": 1, "maxItems": 2},
                },
                "required": ["text", "evidence"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["statements"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GgufModel]:
    flags = {"home": tmp_path_factory.mktemp("home"), "models.context": 1024}
    threads = os.environ.get("OSLER_MODELS_THREADS")
    settings = load_settings({**flags, "models.threads": threads}, environment={})
    loaded = GgufModel(f"gguf:{DEV}", settings, parallel=4)
    yield loaded
    loaded.close()


def _ask(text: str, max_tokens: int, **more: object) -> Request:
    return Request(messages=[Message("user", text)], max_tokens=max_tokens, **more)


def test_cited_statements_by_schema(model: GgufModel) -> None:
    question = f"{PASSAGES}\n\nWhy might a patient on a thiazide feel weak? Cite the passages. Answer in JSON."
    said = model.generate([_ask(question, 120, json_schema=SCHEMA)])[0]
    print(said.text)
    cited = {id for row in json.loads(said.text)["statements"] for id in row["evidence"]}
    assert cited & {"E1", "E2"}


def test_chinese(model: GgufModel) -> None:
    said = model.generate([_ask("用一句话说明什么是高血压。", 40)])[0]
    print(said.text)
    assert has_chinese(said.text)
    assert "血压" in said.text


@pytest.mark.parametrize("sampling", [{}, {"temperature": 0.8, "top_p": 0.95, "seed": 3}])
def test_batch_alone_and_replay_are_token_equal(model: GgufModel, sampling: dict[str, float]) -> None:
    texts = ["What is fever?", "Name a cause of cough.", "什么是糖尿病？", "Name two drugs for pain."]
    requests = [_ask(text, 20, **sampling) for text in texts]
    together = model.generate(requests)
    alone = [model.generate([request])[0] for request in requests]
    replayed = [model.replay(each.prompt, requests[place].parameters()) for place, each in enumerate(together)]
    assert [each.tokens for each in together] == [each.tokens for each in alone] == [each.tokens for each in replayed]


def test_options(model: GgufModel) -> None:
    options = "A. Vitamin A\nB. Vitamin B12\nC. Vitamin C\nD. Vitamin D"
    question = f"Which vitamin prevents scurvy?\n{options}\nAnswer with a letter."
    scores = model.score([ScoreRequest([Message("user", question)], list("ABCD"))])[0]
    print(scores)
    assert max(scores, key=lambda label: scores[label]) == "C"
