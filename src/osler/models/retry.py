"""Sending a request to an endpoint again while that can help, and clear errors when it can't.

It knows HTTP, not what is sent. Secrets never reach an error: only the status and a redacted excerpt do.
"""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from osler.errors import EndpointError
from osler.text import shorten

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

RETRIED = frozenset({408, 429, 500, 502, 503, 504})


class Retry(NamedTuple):
    """Pauses in seconds: `first`, then twice as long each time, up to `longest`, whatever a server asks for."""

    attempts: int = 4
    first: float = 0.5
    longest: float = 30.0


class _Again(Exception):
    def __init__(self, error: EndpointError, wait: float | None = None) -> None:
        super().__init__(str(error))
        self.error, self.wait = error, wait


def attempt(call: Callable[[], T], retry: Retry) -> T:
    """Call until it gives a result, at most `retry.attempts` times; the last error then."""
    for number in range(1, retry.attempts + 1):
        try:
            return call()
        except _Again as again:
            if number == retry.attempts:
                raise again.error from None
            pause = again.wait if again.wait is not None else retry.first * 2 ** (number - 1) * random.uniform(0.5, 1.5)
            time.sleep(min(pause, retry.longest))
    raise AssertionError("a retry has at least one attempt")


def failed(error: "httpx.HTTPError", url: str, timeout: float) -> Exception:
    """The error of a request without an answer: worth another attempt if no connection came about."""
    import httpx

    if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
        hint = "`models.timeout` sets how long to wait."
        return EndpointError(f"the endpoint did not answer within {timeout:g} s", where=url, hint=hint)
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        hint = "Check the address and that the server runs."
        return _Again(EndpointError("the endpoint can't be reached", where=url, hint=hint))
    return _Again(EndpointError(f"the connection broke ({type(error).__name__})", where=url))


def refused(response: "httpx.Response", url: str, model: str, key: str | None, key_variable: str) -> Exception:
    """The error of an answer whose status isn't 200 (its body must have been read)."""
    status = response.status_code
    if status in (401, 403):
        state = "was refused" if key else "is not set"
        return EndpointError(f"the endpoint answered {status}: the key in {key_variable} {state}", where=url)
    excerpt = shorten(response.text.replace(key, "***") if key else response.text, 200)
    if status == 404:
        hint = "Check the address (it often ends in /v1) and the model's name."
        return EndpointError(f"the endpoint knows no model {model!r} at this address: {excerpt}", where=url, hint=hint)
    if 300 <= status < 400:
        return EndpointError(f"the endpoint answered {status}; redirects are not followed", where=url)
    error = EndpointError(f"the endpoint answered {status}: {excerpt}", where=url)
    return _Again(error, _retry_after(response.headers.get("retry-after"))) if status in RETRIED else error


def _retry_after(header: str | None) -> float | None:
    """Seconds, from a number or an HTTP date (RFC 9110, 10.2.3)."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
