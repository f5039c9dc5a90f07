"""An OpenAI-compatible server: requests to it, made again while that can help, and clear errors when it can't.

It knows HTTP, not what is sent or whether it may be. Secrets never reach an error: only a redacted excerpt does.
"""

import hashlib
import json
import os
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from osler.errors import EndpointError, InputError
from osler.privacy.egress import parse
from osler.settings import Models
from osler.text import shorten

if TYPE_CHECKING:
    import httpx

CONCURRENT = 4  # requests under way at once
RETRIED = frozenset({408, 429, 500, 502, 503, 504})


class Retry(NamedTuple):
    """Pauses in seconds: `first`, then twice as long each time, up to `longest`, whatever a server asks for."""

    attempts: int = 4
    first: float = 0.5
    longest: float = 30.0


def endpoint_parts(spec: str) -> tuple[str, str]:
    """URL and model name of `openai:URL#NAME`. Raises InputError."""
    base, _, name = spec.removeprefix("openai:").partition("#")
    if not name:
        raise InputError("the endpoint's model has no name", where=spec, hint="Give openai:URL#NAME.")
    return base.rstrip("/"), name


def endpoint_digest(spec: str) -> str:
    """sha256 of URL and name: all that is known of the weights."""
    return hashlib.sha256("#".join(endpoint_parts(spec)).encode()).hexdigest()


class Server:
    """What `openai:URL#NAME` names. Raises InputError for a spec or key that can't be used.

    Calls raise EndpointError; they retry until an answer has begun, but never a request that may still run.
    """

    def __init__(self, spec: str, settings: Models, retry: Retry | None = None) -> None:
        import httpx

        self.base, self.name = endpoint_parts(spec)
        self._settings, self._retry = settings, retry or Retry()
        self._key = os.environ.get(settings.api_key_variable, "").strip()
        if not (self._key.isascii() and self._key.isprintable()):
            where = f"variable {settings.api_key_variable}"
            raise InputError("the endpoint's key holds characters that no header can carry", where=where)
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
            timeout=httpx.Timeout(settings.timeout, connect=min(10.0, settings.timeout)),
            limits=httpx.Limits(max_connections=CONCURRENT),
            follow_redirects=False,  # they would carry text past the egress policy
            trust_env=not parse(self.base).loopback,  # a proxy would carry off what must stay here
        )

    def post(self, url: str, body: dict[str, Any]) -> dict[str, Any]:
        """The JSON object that answers."""
        return self.read(self._send(url, body).content, url)

    def lines(self, url: str, body: dict[str, Any]) -> Iterator[str]:
        """The lines of a streamed answer; one that breaks off just ends."""
        import httpx

        response = self._send(url, body, stream=True)
        try:
            yield from response.iter_lines()
        except httpx.TimeoutException as error:
            raise self._failed(error, url) from None
        except httpx.HTTPError:
            return
        finally:
            response.close()

    def read(self, content: bytes | str, url: str) -> dict[str, Any]:
        """The JSON object in an answer or a line of it, unless it reports a fault."""
        try:
            value = json.loads(content)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise EndpointError("the endpoint's answer is not a JSON object", where=url)
        if isinstance(fault := value.get("error"), dict | str):
            message = str(fault.get("message") if isinstance(fault, dict) else fault)
            raise EndpointError(f"the endpoint reports: {self._redacted(message)}", where=url)
        return value

    def close(self) -> None:
        self._client.close()

    def _send(self, url: str, body: dict[str, Any], stream: bool = False) -> "httpx.Response":
        import httpx

        for number in range(self._retry.attempts):
            pause = self._retry.first * 2**number * random.uniform(0.5, 1.5)
            try:
                response = self._client.send(self._client.build_request("POST", url, json=body), stream=stream)
                if response.status_code == 200:
                    return response
                response.read()
            except httpx.HTTPError as failure:
                error = self._failed(failure, url)
                if isinstance(failure, httpx.TimeoutException) and not isinstance(failure, httpx.ConnectTimeout):
                    break
            else:
                error = self._refused(response, url)
                if response.status_code not in RETRIED:
                    break
                with suppress(ValueError):
                    pause = max(0.0, float(response.headers.get("retry-after", "")))
            if number + 1 < self._retry.attempts:
                time.sleep(min(pause, self._retry.longest))
        raise error

    def _failed(self, failure: "httpx.HTTPError", url: str) -> EndpointError:
        """The error of a request without an answer."""
        import httpx

        if isinstance(failure, httpx.ConnectError | httpx.ConnectTimeout):
            hint = "Check the address and that the server runs."
            return EndpointError("the endpoint can't be reached", where=url, hint=hint)
        if isinstance(failure, httpx.TimeoutException):
            hint = "`models.timeout` sets how long to wait."
            return EndpointError(f"the endpoint did not answer within {self._settings.timeout:g} s", url, hint)
        return EndpointError(f"the connection broke ({type(failure).__name__})", where=url)

    def _refused(self, response: "httpx.Response", url: str) -> EndpointError:
        """The error of an answer whose status isn't 200."""
        status, hint = response.status_code, None
        if status in (401, 403):
            hint = f"The key in {self._settings.api_key_variable} {'was refused' if self._key else 'is not set'}."
        elif status == 404:
            hint = f"Check the address (it often ends in /v1) and the model's name, {self.name!r}."
        elif 300 <= status < 400:
            hint = "Redirects are not followed."
        excerpt = shorten(self._redacted(response.text), 200)
        return EndpointError(f"the endpoint answered {status}: {excerpt}", where=url, hint=hint)

    def _redacted(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text
