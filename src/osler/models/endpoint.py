"""Any OpenAI-compatible chat endpoint as a language model, behind the egress gate.

It knows the chat-completions protocol. It does not know whether a text may leave the machine (the gate does), nor
the weights behind the name: its answers are recorded, not replayed.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any, NamedTuple

from osler.errors import EndpointError, UsageError
from osler.models.base import Generation, ModelInfo, Request, ScoreRequest
from osler.models.http import CONCURRENT, Retry, Server, endpoint_digest
from osler.privacy.egress import Gate, Restorer
from osler.settings import Settings

LIKELY = 20  # the most next tokens the protocol reports


class _Exchange(NamedTuple):
    """A request body that passed the gate, and what puts the originals back into its answer."""

    body: dict[str, Any]
    mapping: dict[str, str]


class EndpointModel:
    """`LanguageModel` over `openai:URL#NAME`; `URL/chat/completions` is called.

    Calls raise EgressBlocked (nothing was sent), EndpointError, or UsageError for what the protocol can't carry.
    """

    def __init__(self, spec: str, settings: Settings, gate: Gate | None = None, retry: Retry | None = None) -> None:
        self._server = Server(spec, settings.models, retry)
        self._url = f"{self._server.base}/chat/completions"
        self._gate = gate or Gate(settings.egress)
        context = settings.models.context
        self.info = ModelInfo(spec, endpoint_digest(spec), context, chat=True, licence=None, local=False)

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        """All requests pass the gate before the first is sent."""
        exchanges = [self._exchange(request) for request in requests]
        with ThreadPoolExecutor(CONCURRENT, thread_name_prefix="osler-endpoint") as pool:
            return list(pool.map(self._generate, requests, exchanges))

    def score(self, requests: Sequence[ScoreRequest]) -> list[dict[str, float]]:
        """A label beyond the reported next tokens gets the least of their log-probabilities, an upper bound."""
        exchanges = [self._exchange(Request(messages=request.messages, max_tokens=1)) for request in requests]
        with ThreadPoolExecutor(CONCURRENT, thread_name_prefix="osler-endpoint") as pool:
            return list(pool.map(self._score, requests, exchanges))

    def count(self, text: str) -> int:
        """An upper estimate: the protocol has no tokenizer, and nothing is sent to count it."""
        return len(text.encode()) // 3 + 1

    def stream(self, request: Request) -> Iterator[str]:
        """Raises EndpointError if the stream is cut before the endpoint says that it is done."""
        exchange = self._exchange(request)
        restorer = Restorer(self._gate, exchange.mapping)
        for piece in self._pieces(exchange.body):
            if shown := restorer.feed(piece):
                yield shown
        if rest := restorer.flush():
            yield rest

    def close(self) -> None:
        self._server.close()

    def _exchange(self, request: Request) -> _Exchange:
        """Every text of the request, also in a schema and stop texts, passes the gate."""
        if request.grammar is not None:
            raise UsageError("an endpoint takes no GBNF grammar", where=self.info.spec, hint="Use a JSON schema.")
        parts = [[message.content for message in request.messages], request.stop, request.json_schema]
        texts: list[str] = []
        _mapped(parts, texts.append)
        cleared = self._gate.clear(self._url, texts)
        safe = iter(cleared.texts)
        contents, stop, schema = _mapped(parts, lambda _: next(safe))
        mapping = cleared.mapping
        body: dict[str, Any] = {
            "model": self._server.name,
            "messages": [{"role": m.role, "content": text} for m, text in zip(request.messages, contents, strict=True)],
            **request.model_dump(include={"max_tokens", "temperature", "top_p", "seed"}),
        }
        if request.images:
            last = body["messages"][-1]
            shown = [
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{one}"}} for one in request.images
            ]
            last["content"] = [{"type": "text", "text": last["content"]}, *shown]
        if stop:
            body["stop"] = stop
        if schema is not None:
            body["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
            # The answer is JSON: in it the originals need JSON's escapes.
            mapping = {surrogate: json.dumps(text, ensure_ascii=False)[1:-1] for surrogate, text in mapping.items()}
        return _Exchange(body, mapping)

    def _generate(self, request: Request, exchange: _Exchange) -> Generation:
        began = perf_counter()
        content = self._server.post(self._url, exchange.body)
        choice = self._choice(content)
        text = _content(choice.get("message"))
        if text is None:
            raise EndpointError("the endpoint's answer holds no text", where=self._url)
        usage = content.get("usage")
        return Generation(
            text=self._gate.restore(text, exchange.mapping),
            tokens=None,
            prompt=json.dumps([message._asdict() for message in request.messages], ensure_ascii=False),
            prompt_tokens=int(usage.get("prompt_tokens") or 0) if isinstance(usage, dict) else 0,
            finish="length" if choice.get("finish_reason") == "length" else "stop",
            seconds=round(perf_counter() - began, 3),
        )

    def _score(self, request: ScoreRequest, exchange: _Exchange) -> dict[str, float]:
        body = {**exchange.body, "logprobs": True, "top_logprobs": LIKELY}
        choice = self._choice(self._server.post(self._url, body))
        try:
            rows = choice["logprobs"]["content"][0]["top_logprobs"]
            found = [(str(row["token"]).strip(), float(row["logprob"])) for row in rows]
            least = min(value for _, value in found)
        except (KeyError, TypeError, IndexError, ValueError):
            hint = "Options can't be scored with it; use a local model for that."
            raise EndpointError("the endpoint gives no log-probabilities", where=self._url, hint=hint) from None
        scores = {}
        for label in request.labels:
            mass = sum(math.exp(value) for token, value in found if token == label.strip())
            scores[label] = math.log(mass) if mass else least
        return scores

    def _pieces(self, body: dict[str, Any]) -> Iterator[str]:
        done = False
        for line in self._server.lines(self._url, {**body, "stream": True}):
            data = line.removeprefix("data:").strip()
            if data == "[DONE]":
                return
            if not line.startswith("data:"):
                continue
            chunk = self._server.read(data, self._url)
            if chunk.get("choices") == []:  # usage and the like
                continue
            choice = self._choice(chunk)
            if piece := _content(choice.get("delta")):
                yield piece
            done = done or choice.get("finish_reason") is not None
        if not done:
            raise EndpointError("the endpoint's answer was cut in the middle", where=self._url, hint="Ask again.")

    def _choice(self, content: Mapping[str, Any]) -> dict[str, Any]:
        choices = content.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            raise EndpointError("the endpoint's answer holds no choices", where=self._url)
        return choices[0]


def _content(message: Any) -> str | None:
    content = message.get("content") if isinstance(message, dict) else None
    return content if isinstance(content, str) else None


def _mapped(value: Any, change: Callable[[str], Any]) -> Any:
    """The JSON value with its texts, keys aside, changed in order."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _mapped(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_mapped(item, change) for item in value]
    return value
