"""A scripted language model for tests of rooms above `models`: a function from request to text, another to scores."""

import time
from collections.abc import Callable, Iterator, Sequence

from osler.models import Generation, ModelInfo, Request, ScoreRequest


class ScriptedModel:
    """`LanguageModel` whose texts come from `write`; `seen` and `scored` hold every request. Scores prefer the label
    that `prefer` names, by default the first."""

    def __init__(
        self,
        write: Callable[[Request], str],
        digest: str = "5c" * 32,
        prefer: Callable[[ScoreRequest], str] = lambda request: request.labels[0],
    ) -> None:
        self._write, self._prefer = write, prefer
        self.seen: list[Request] = []
        self.scored: list[ScoreRequest] = []
        self.info = ModelInfo("scripted:test", digest, context=8192, chat=True, licence=None, local=False)

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        return [self._one(request) for request in requests]

    def stream(self, request: Request) -> Iterator[str]:
        yield from self._one(request).text.splitlines(keepends=True)

    def count(self, text: str) -> int:
        return len(text.split())

    def score(self, requests: Sequence[ScoreRequest]) -> list[dict[str, float]]:
        self.scored += requests
        return [
            {
                label: -0.5 if label == self._prefer(request) else -2.0 - place
                for place, label in enumerate(request.labels)
            }
            for request in requests
        ]

    def _one(self, request: Request) -> Generation:
        began = time.perf_counter()
        self.seen.append(request)
        prompt = "\n".join(f"{message.role}: {message.content}" for message in request.messages)
        text = self._write(request)
        words = len(prompt.split())
        return Generation(text, None, prompt, words, "stop", round(time.perf_counter() - began, 3))
