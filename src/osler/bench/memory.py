"""A language model that the bench asks nothing twice: what it said to a request is kept in the home by content.

Methods share calls (a draft, a letter without evidence), and a killed run loses none. Replies to a request are the same
each time, so nothing but time is saved; the time a reply once took is counted again.
"""

import dataclasses
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from osler.ledger import canonical
from osler.models import Generation, LanguageModel, ModelInfo, Request, ScoreRequest

COSTS = ("calls", "tokens read", "tokens written")  # of an item
Q = TypeVar("Q")


@dataclasses.dataclass
class Spent:
    """What calls cost. `seconds`: of those that were remembered, as they once took."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0

    def costs(self) -> dict[str, float]:
        return dict(zip(COSTS, (self.calls, self.tokens_in, self.tokens_out), strict=True))


class Remembering:
    """`LanguageModel` over another. `home`: the folder of its replies, a file a model."""

    def __init__(self, model: LanguageModel, home: Path) -> None:
        self.model, self.spent = model, Spent()
        home.mkdir(parents=True, exist_ok=True)
        self._path = home / f"{model.info.digest[:16]}.jsonl"
        self._known: dict[str, Any] = {}
        for line in self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else ():
            try:
                row = json.loads(line)
                self._known[row["key"]] = row["reply"]
            except (ValueError, KeyError):  # empty, or cut off by a kill: then it is asked again
                continue

    @property
    def info(self) -> ModelInfo:
        return self.model.info

    def count(self, text: str) -> int:
        return self.model.count(text)

    def stream(self, request: Request) -> Iterator[str]:
        return self.model.stream(request)

    def take(self) -> Spent:
        """What was spent since the last time."""
        spent, self.spent = self.spent, Spent()
        return spent

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        def ask(missing: Sequence[Request]) -> list[Any]:
            return [made._asdict() for made in self.model.generate(missing)]

        keys = [[request.model_dump(mode="json")] for request in requests]
        made = [Generation(**reply) for reply in self._answers(keys, requests, ask)]
        self.spent.tokens_in += sum(one.prompt_tokens for one in made)
        self.spent.tokens_out += sum(len(one.tokens or ()) for one in made)
        return made

    def score(self, requests: Sequence[ScoreRequest]) -> list[dict[str, float]]:
        def ask(missing: Sequence[ScoreRequest]) -> list[Any]:
            began = time.perf_counter()
            scored = self.model.score(missing)
            each = (time.perf_counter() - began) / len(missing)
            counts = [sum(self.model.count(message.content) for message in one.messages) for one in missing]
            return [{"scores": s, "tokens": n, "seconds": each} for s, n in zip(scored, counts, strict=True)]

        found = self._answers([["score", *request] for request in requests], requests, ask)
        self.spent.tokens_in += sum(reply["tokens"] for reply in found)
        return [reply["scores"] for reply in found]

    def _answers(
        self, asked: Sequence[Any], requests: Sequence[Q], ask: Callable[[Sequence[Q]], list[Any]]
    ) -> list[Any]:
        keys = [hashlib.sha256(canonical(one)).hexdigest()[:32] for one in asked]
        new = {key: request for key, request in zip(keys, requests, strict=True) if key not in self._known}
        self.spent.calls += len(keys)
        self.spent.seconds += sum(self._known[key]["seconds"] for key in keys if key in self._known)
        if new:
            made = dict(zip(new, ask(list(new.values())), strict=True))
            with self._path.open("a", encoding="utf-8") as out:
                rows = [json.dumps({"key": key, "reply": reply}, ensure_ascii=False) for key, reply in made.items()]
                out.write("".join(f"\n{row}" for row in rows))  # a line of its own, whatever a kill left before it
            self._known |= made
        return [self._known[key] for key in keys]
