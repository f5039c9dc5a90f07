"""Endpoints, good and bad: a real OpenAI-compatible server in this process, and one that misbehaves on purpose."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from osler.errors import EndpointError, InputError, UsageError
from osler.models import Message, Request, ScoreRequest, load_model
from osler.models.catalogue import find_weights
from osler.models.endpoint import EndpointModel
from osler.models.http import Retry
from osler.models.runtime import Runtime
from osler.settings import load_settings
from support.endpoint import Reply, chat, events, serving

KEY = "sk-secret-4711"


def _model(url: str, **models: object) -> EndpointModel:
    settings = load_settings({f"models.{key}": value for key, value in models.items()}, environment={})
    return EndpointModel(f"openai:{url}#m", settings, retry=Retry(attempts=3, first=0.01, longest=0.3))


def _ask(text: str = "Hi", **more: Any) -> Request:
    return Request(messages=[Message("user", text)], max_tokens=12, **more)


def _text(url: str, stream: bool = False, **models: object) -> str:
    model = _model(url, **models)
    return "".join(model.stream(_ask())) if stream else model.generate([_ask()])[0].text


def _in_turn(*replies: Reply) -> Callable[[int, dict[str, Any]], Reply]:
    return lambda number, _: replies[min(number, len(replies) - 1)]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointModel]:
    """The llama.cpp server with the embedded weights, behind its key."""
    weights = find_weights("smollm2", load_settings({"home": tmp_path_factory.mktemp("home")}, environment={}))
    runtime = Runtime(weights.path, context=512, sequences=2, threads=1)
    patch = pytest.MonkeyPatch()
    patch.setenv("OSLER_API_KEY", runtime._client.headers["authorization"].removeprefix("Bearer "))
    model = load_model(f"openai:{runtime._client.base_url}/v1#smollm2", load_settings(environment={}))
    yield model
    patch.undo()
    runtime.close()


def test_real_server_generates_and_streams_the_same(real: EndpointModel) -> None:
    said = real.generate([_ask("What is fever?"), _ask("Hi")])
    assert all(each.text and each.prompt_tokens > 20 for each in said)
    assert said[0].finish == "length"
    assert json.loads(said[0].prompt) == [{"role": "user", "content": "What is fever?"}]
    assert len("".join(real.stream(_ask("What is fever?")))) > 10
    assert real.info.local is False


def test_real_server_obeys_a_schema_and_scores(real: EndpointModel) -> None:
    schema = {"type": "object", "properties": {"answer": {"enum": ["yes", "no"]}}, "required": ["answer"]}
    request = Request(messages=[Message("user", "Is water wet?")], max_tokens=80, json_schema=schema)
    assert json.loads(real.generate([request])[0].text)["answer"] in ("yes", "no")
    scores = real.score([ScoreRequest([Message("user", "Say hello!")], ["Hello", "Zebra"])])[0]
    assert 0 > scores["Hello"] > scores["Zebra"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_passing_trouble_is_retried(status: int, stream: bool) -> None:
    good = events("fi", "ne") if stream else chat("fine")
    with serving(_in_turn(Reply(status, "{}"), Reply(status, "no"), good)) as peer:
        assert _text(peer.url, stream) == "fine"
        assert len(peer.received) == 3


def test_retry_after_is_honoured_and_bounded() -> None:
    for header, least in (("0.2", 0.2), ("3600", 0.3), ("soon", 0.0)):
        with serving(_in_turn(Reply(429, "{}", {"Retry-After": header}), chat("fine"))) as peer:
            began = time.perf_counter()
            assert _text(peer.url) == "fine"
            assert least <= time.perf_counter() - began < least + 2


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("reply", "says", "requests"),
    [
        (Reply(500, "out of memory"), "answered 500: out of memory", 3),
        (Reply(400, "bad temperature"), "answered 400: bad temperature", 1),
        (Reply(401, f"bad key {KEY}"), "401: .*The key in OSLER_API_KEY was refused", 1),
        (Reply(404, f"no model; key {KEY}"), "answered 404: no model.*the model's name, 'm'", 1),
        (Reply(302, "", {"Location": "http://127.0.0.1:9/"}), "Redirects are not followed", 1),
        (Reply(200, "<html>"), "not a JSON object", 1),
        (Reply(200, "[1]"), "not a JSON object", 1),
        (Reply(200, '{"choices": []}'), "no choices", 1),
        (Reply(200, '{"choices": [{"message": {"content": null}}]}'), "no text", 1),
        (Reply(200, f'{{"error": {{"message": "overloaded {KEY}"}}}}'), "overloaded \\*\\*\\*", 1),
    ],
)
def test_each_fault_has_its_error(
    reply: Reply, says: str, requests: int, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSLER_API_KEY", KEY)
    if stream and reply.status == 200:
        lines = {"no choices": '{"choices": [1]}', "no text": '{"choices": [{"delta": {"content": null}}]}'}
        says, line = ("cut in the middle" if says == "no text" else says), lines.get(says, reply.body)
        reply = Reply(200, f"data: {line!s}\n\n")
    with serving(lambda *_: reply) as peer:
        with pytest.raises(EndpointError, match=says) as caught:
            _text(peer.url, stream)
        assert KEY not in str(caught.value)
        assert len(peer.received) == requests
        assert peer.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_missing_key_is_named() -> None:
    with (
        serving(lambda *_: Reply(401)) as peer,
        pytest.raises(EndpointError, match="HOSPITAL_KEY is not set"),
    ):
        _text(peer.url, api_key_variable="HOSPITAL_KEY")


def test_key_that_no_header_carries_is_refused_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSLER_API_KEY", "sk-\nsecret")
    with pytest.raises(InputError, match="OSLER_API_KEY") as caught:
        _model("http://127.0.0.1:9/v1")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("stream", [False, True])
def test_refused_connection(stream: bool) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(EndpointError, match="can't be reached"):
        _text(f"http://127.0.0.1:{port}/v1", stream)


@pytest.mark.parametrize("stream", [False, True])
def test_server_that_hangs_is_left(stream: bool) -> None:
    def hang(*_: object) -> Reply:
        time.sleep(1.5)
        return chat("late")

    with serving(hang) as peer:
        began = time.perf_counter()
        with pytest.raises(EndpointError, match=r"did not answer within 0\.3 s"):
            _text(peer.url, stream, timeout=0.3)
        assert time.perf_counter() - began < 1.4


@pytest.mark.parametrize("reply", [events("Take ", "10", done=False), events("Take ", "10")._replace(cut=True)])
def test_cut_stream_is_never_taken_for_whole(reply: Reply) -> None:
    body = str(reply.body).removesuffix("data: [DONE]\n\n")
    with serving(lambda *_: reply._replace(body=body)) as peer:
        stream = _model(peer.url).stream(_ask())
        assert next(stream) == "Take "
        with pytest.raises(EndpointError, match="cut in the middle"):
            list(stream)


def test_cut_body_is_retried_then_reported() -> None:
    with serving(lambda *_: chat("half")._replace(cut=True)) as peer:
        with pytest.raises(EndpointError, match="connection broke"):
            _text(peer.url)
        assert len(peer.received) == 3


def test_requests_run_at_once_and_keep_their_order() -> None:
    def slow(_: int, body: dict[str, Any]) -> Reply:
        time.sleep(0.2)
        return chat(body["messages"][0]["content"].upper())

    with serving(slow) as peer:
        began = time.perf_counter()
        said = _model(peer.url).generate([_ask(letter) for letter in "abcd"])
        assert [each.text for each in said] == list("ABCD")
        assert time.perf_counter() - began < 0.7


def test_parameters_are_sent_and_a_grammar_is_refused() -> None:
    with serving(lambda *_: chat("fine")) as peer:
        model = _model(peer.url)
        model.generate([_ask(temperature=0.5, top_p=0.8, seed=9, stop=["x"], json_schema={"type": "object"})])
        with pytest.raises(UsageError, match="grammar"):
            model.generate([_ask(grammar='root ::= "a"')])
        body = json.loads(peer.received[0])
    assert [body[key] for key in ("model", "temperature", "top_p", "seed", "stop")] == ["m", 0.5, 0.8, 9, ["x"]]
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}


def test_scores_need_log_probabilities() -> None:
    with serving(lambda *_: chat("A")) as peer, pytest.raises(EndpointError, match="no log-probabilities"):
        _model(peer.url).score([ScoreRequest([Message("user", "Which?")], ["A", "B"])])


def test_scores_sum_the_spellings_of_a_label() -> None:
    rows = [{"token": "A", "logprob": -1.0}, {"token": " A", "logprob": -1.0}, {"token": "x", "logprob": -5.0}]
    choice = {"logprobs": {"content": [{"top_logprobs": rows}]}, "message": {"content": "A"}}
    with serving(lambda *_: Reply(body=json.dumps({"choices": [choice]}))) as peer:
        scores = _model(peer.url).score([ScoreRequest([Message("user", "Which?")], ["A", "B"])])[0]
    assert scores == {"A": pytest.approx(-1.0 + 0.693147, abs=1e-5), "B": -5.0}


def test_proxy_of_the_environment_is_not_used_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with serving(lambda *_: chat("fine")) as peer:
        assert _text(peer.url) == "fine"


@pytest.mark.parametrize("spec", ["openai:http://127.0.0.1/v1", "openai:#m", "openai:ftp://x/#m", "openai:"])
def test_spec_that_names_no_endpoint(spec: str) -> None:
    with pytest.raises(InputError):
        load_model(spec, load_settings(environment={}))
