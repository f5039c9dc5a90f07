"""Any OpenAI-compatible chat endpoint as a language model, behind the egress gate.

It knows the chat-completions protocol. It does not know whether a text may leave the machine (the gate does), nor
the weights behind the name: its answers are recorded, not replayed.
"""

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any, Literal, NamedTuple, TypeVar

from osler.errors import EndpointError, InputError, UsageError
from osler.models.base import Generation, Message, ModelInfo, Request, ScoreRequest
from osler.models.retry import Retry, attempt, failed, refused
from osler.privacy.egress import Cleared, Gate, parse
from osler.settings import Settings

A = TypeVar("A")
B = TypeVar("B")

CONCURRENT = 4  # requests under way at once
LIKELY = 20  # the most next tokens the protocol reports


def endpoint_digest(spec: str) -> str:
    """sha256 of URL and name: all that is known of the weights."""
    return hashlib.sha256("#".join(_parts(spec)).encode()).hexdigest()


def _parts(spec: str) -> tuple[str, str]:
    base, _, name = spec.removeprefix("openai:").partition("#")
    if not name:
        raise InputError("the endpoint's model has no name", where=spec, hint="Give openai:URL#NAME.")
    return base.rstrip("/"), name


class _Exchange(NamedTuple):
    """A request body that passed the gate, and what puts the originals back into its answer."""

    body: dict[str, Any]
    cleared: Cleared
    as_json: bool


class EndpointModel:
    """`LanguageModel` over `openai:URL#NAME`; `URL/chat/completions` is called.

    Calls raise EgressBlocked (nothing was sent), EndpointError, or InputError for what the protocol can't carry.
    """

    def __init__(self, spec: str, settings: Settings, gate: Gate | None = None, retry: Retry | None = None) -> None:
        import httpx

        base, self._name = _parts(spec)
        address = parse(base)
        self._url = f"{base}/chat/completions"
        self._gate = gate or Gate(settings.egress)
        self._retry = retry or Retry()
        self._settings = settings.models
        self._key = _key(settings.models.api_key_variable)
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
            timeout=httpx.Timeout(settings.models.timeout, connect=min(10.0, settings.models.timeout)),
            limits=httpx.Limits(max_connections=CONCURRENT),
            follow_redirects=False,
            trust_env=not address.loopback,  # a proxy would carry off what must stay here
        )
        self._info = ModelInfo(
            spec=spec,
            digest=endpoint_digest(spec),
            context=settings.models.context,
            chat=True,
            licence=None,
            local=False,
        )

    @property
    def info(self) -> ModelInfo:
        return self._info

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        """All requests pass the gate before the first is sent."""
        exchanges = [self._exchange(request) for request in requests]
        return self._together(self._generate, requests, exchanges)

    def stream(self, request: Request) -> Iterator[str]:
        """Raises EndpointError if the stream is cut before the endpoint says that it is done."""
        exchange = self._exchange(request)
        restorer = self._gate.restorer(_escaped(exchange))
        for piece in self._pieces(exchange):
            if shown := restorer.feed(piece):
                yield shown
        if rest := restorer.flush():
            yield rest

    def score(self, requests: Sequence[ScoreRequest]) -> list[dict[str, float]]:
        """A label beyond the reported next tokens gets the least of their log-probabilities, an upper bound."""
        exchanges = []
        for request in requests:
            exchange = self._exchange(Request(messages=request.messages, max_tokens=1))
            exchange.body.update(logprobs=True, top_logprobs=LIKELY)
            exchanges.append(exchange)
        return self._together(self._score, requests, exchanges)

    def close(self) -> None:
        self._client.close()

    def _together(
        self, work: Callable[[A, _Exchange], B], items: Sequence[A], exchanges: Sequence[_Exchange]
    ) -> list[B]:
        with ThreadPoolExecutor(max_workers=CONCURRENT, thread_name_prefix="osler-endpoint") as pool:
            futures = [pool.submit(work, item, exchange) for item, exchange in zip(items, exchanges, strict=True)]
            try:
                return [future.result() for future in futures]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _exchange(self, request: Request) -> _Exchange:
        """The body as it may be sent: every text in it, also in a schema and stop texts, passes the gate."""
        if request.grammar is not None:
            raise UsageError("an endpoint takes no GBNF grammar", where=self._info.spec, hint="Use a JSON schema.")
        texts = [message.content for message in request.messages]
        extras = [*request.stop, *_leaves(request.json_schema)]
        cleared = self._gate.clear(self._url, [*texts, *extras])
        sent = iter(cleared.texts)
        body: dict[str, Any] = {
            "model": self._name,
            "messages": [{"role": message.role, "content": next(sent)} for message in request.messages],
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "seed": request.seed,
        }
        if request.stop:
            body["stop"] = [next(sent) for _ in request.stop]
        if request.json_schema is not None:
            schema = _replaced(request.json_schema, sent)
            body["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
        return _Exchange(body, cleared, request.json_schema is not None)

    def _generate(self, request: Request, exchange: _Exchange) -> Generation:
        began = perf_counter()
        content = self._post(exchange.body)
        choice = self._choice(content)
        text = _text(choice.get("message"))
        if text is None:
            raise EndpointError("the endpoint's answer holds no text", where=self._url)
        usage = content.get("usage")
        return Generation(
            text=self._gate.restore(text, _escaped(exchange)),
            tokens=None,
            prompt=_prompt(request.messages),
            prompt_tokens=int(usage.get("prompt_tokens") or 0) if isinstance(usage, dict) else 0,
            finish=_finish(choice.get("finish_reason")),
            seconds=round(perf_counter() - began, 3),
        )

    def _score(self, request: ScoreRequest, exchange: _Exchange) -> dict[str, float]:
        choice = self._choice(self._post(exchange.body))
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

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        import httpx

        def once() -> dict[str, Any]:
            try:
                response = self._client.post(self._url, json=body)
            except httpx.HTTPError as error:
                raise failed(error, self._url, self._settings.timeout) from None
            if response.status_code != 200:
                raise self._refused(response)
            return self._json(response.content)

        return attempt(once, self._retry)

    def _pieces(self, exchange: _Exchange) -> Iterator[str]:
        import httpx

        def opened() -> httpx.Response:
            request = self._client.build_request("POST", self._url, json={**exchange.body, "stream": True})
            try:
                response = self._client.send(request, stream=True)
                if response.status_code != 200:
                    response.read()
            except httpx.HTTPError as error:
                raise failed(error, self._url, self._settings.timeout) from None
            if response.status_code != 200:
                raise self._refused(response)
            return response

        response = attempt(opened, self._retry)
        done = False
        try:
            for line in response.iter_lines():
                if not line.startswith("data:"):
                    continue
                data = line[5:].strip()
                if data == "[DONE]":
                    done = True
                    break
                chunk = self._json(data)
                if chunk.get("choices") == []:  # usage and the like
                    continue
                choice = self._choice(chunk)
                if piece := _text(choice.get("delta")):
                    yield piece
                done = done or choice.get("finish_reason") is not None
        except httpx.TimeoutException as error:
            raise failed(error, self._url, self._settings.timeout) from None
        except httpx.HTTPError:
            done = False
        finally:
            response.close()
        if not done:
            raise EndpointError("the endpoint's answer was cut in the middle", where=self._url, hint="Ask again.")

    def _refused(self, response: Any) -> Exception:
        return refused(response, self._url, self._name, self._key, self._settings.api_key_variable)

    def _json(self, content: bytes | str) -> dict[str, Any]:
        try:
            value = json.loads(content)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise EndpointError("the endpoint's answer is not a JSON object", where=self._url)
        if isinstance(fault := value.get("error"), dict | str):
            message = str(fault.get("message") if isinstance(fault, dict) else fault)
            raise EndpointError(
                f"the endpoint reports: {message.replace(self._key, '***') if self._key else message}", where=self._url
            )
        return value

    def _choice(self, content: Mapping[str, Any]) -> dict[str, Any]:
        choices = content.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            raise EndpointError("the endpoint's answer holds no choices", where=self._url)
        return choices[0]


def _key(variable: str) -> str | None:
    key = os.environ.get(variable, "").strip()
    if key and not (key.isascii() and key.isprintable()):
        raise InputError("the endpoint's key holds characters that no header can carry", where=f"variable {variable}")
    return key or None


def _prompt(messages: Sequence[Message]) -> str:
    """The messages as kept in the ledger: enough to ask again."""
    rows = [{"role": message.role, "content": message.content} for message in messages]
    return json.dumps(rows, ensure_ascii=False)


def _text(message: Any) -> str | None:
    content = message.get("content") if isinstance(message, dict) else None
    return content if isinstance(content, str) else None


def _finish(reason: Any) -> Literal["stop", "length"]:
    return "length" if reason == "length" else "stop"


def _escaped(exchange: _Exchange) -> dict[str, str]:
    """The mapping for the answer: inside JSON the originals need JSON's escapes."""
    mapping = exchange.cleared.mapping
    if not exchange.as_json:
        return mapping
    return {surrogate: json.dumps(original, ensure_ascii=False)[1:-1] for surrogate, original in mapping.items()}


def _leaves(value: Any) -> Iterator[str]:
    """The texts of a JSON value, keys aside, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)


def _replaced(value: Any, texts: Iterator[str]) -> Any:
    """The JSON value with its texts, in order, replaced."""
    if isinstance(value, str):
        return next(texts)
    if isinstance(value, dict):
        return {key: _replaced(item, texts) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, texts) for item in value]
    return value
