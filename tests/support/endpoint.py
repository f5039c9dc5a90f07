"""A local HTTP server that plays an OpenAI-compatible endpoint, well or badly, and keeps every byte it was sent."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Reply(NamedTuple):
    """`cut`: announce more bytes than are sent, then close the connection."""

    status: int = 200
    body: str | bytes = b""
    headers: dict[str, str] = {}
    cut: bool = False


class Peer(NamedTuple):
    url: str
    received: list[bytes]
    headers: list[dict[str, str]]


def chat(text: str, finish: str = "stop") -> Reply:
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": finish}
    return Reply(body=json.dumps({"choices": [choice], "usage": {"prompt_tokens": 3}}))


def events(*pieces: str, done: bool = True) -> Reply:
    rows: list[Any] = [{"choices": [{"delta": {"content": piece}, "finish_reason": None}]} for piece in pieces]
    lines = [f"data: {json.dumps(row)}\n\n" for row in rows] + ["data: [DONE]\n\n"] * done
    return Reply(body="".join(lines), headers={"Content-Type": "text/event-stream"})


@contextmanager
def serving(answer: Callable[[int, dict[str, Any]], Reply]) -> Iterator[Peer]:
    """`answer(number of the request from 0, its JSON body)`."""
    received: list[bytes] = []
    headers: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers.append(dict(self.headers))
            received.append(body)
            reply = answer(len(received) - 1, json.loads(body))
            content = reply.body.encode() if isinstance(reply.body, str) else reply.body
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content) + (100 if reply.cut else 0)))
            with suppress(ConnectionError):  # the client may have left
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Peer(f"http://127.0.0.1:{server.server_port}/v1", received, headers)
    finally:
        server.shutdown()
        server.server_close()
