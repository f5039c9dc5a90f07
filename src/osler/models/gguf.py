"""A GGUF file as a language model in this process, through the llama.cpp runtime.

One worker owns the runtime behind a bounded queue. A batch gives each request what it would get alone, and `replay`
gives a stored prompt its tokens again. It does not know what the texts are for.
"""

import json
import math
import os
import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from osler.errors import InputError
from osler.models.base import Busy, Generation, Message, ModelInfo, Request, ScoreRequest
from osler.models.files import adapter_path, read_header, weights_digest
from osler.models.runtime import Job, Runtime
from osler.settings import Settings

T = TypeVar("T")

WAITING = 32  # calls that may wait before the model says it is busy
LIKELY = 256  # next tokens looked at before a label is asked for by itself


class GgufModel:
    """`LanguageModel` over one GGUF file; loads at once and takes some memory for each of `parallel` sequences.

    Raises MissingComponent if the file isn't there, InputError if it can't be loaded. `waiting`: calls that may
    queue; one more raises Busy.
    """

    def __init__(
        self,
        path: Path,
        settings: Settings,
        spec: str | None = None,
        parallel: int | None = None,
        waiting: int = WAITING,
    ) -> None:
        header = read_header(path)
        adapter = adapter_path(settings)
        context = min(settings.models.context, header.context or settings.models.context)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self.path = path
        self._info = ModelInfo(
            spec=spec or f"gguf:{path}",
            digest=weights_digest(path, adapter, settings.home),
            context=context,
            chat=header.chat,
            licence=header.licence,
            local=True,
        )
        self._runtime = Runtime(path, context, parallel or min(4, cores), settings.models.threads or cores, adapter)
        self._room = threading.BoundedSemaphore(waiting + 1)
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="osler-model")

    @property
    def info(self) -> ModelInfo:
        return self._info

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        """Raises InputError for a prompt that doesn't fit (nothing of the batch is then run), Busy if many wait."""
        return self._wait(self._submit(lambda: self._generate(requests)))

    def stream(self, request: Request) -> Iterator[str]:
        """Text as it is made, at the model's speed however slowly it is read; closing the iterator stops it."""
        pieces: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        stopped = threading.Event()
        done = self._submit(lambda: self._pump(request, pieces, stopped))
        done.add_done_callback(lambda _: pieces.put(None))
        try:
            while (piece := pieces.get()) is not None:
                yield piece
            done.result()
        finally:
            stopped.set()

    def score(self, requests: Sequence[ScoreRequest]) -> list[dict[str, float]]:
        """Raises InputError for a label that isn't one token, alone or with a space before it."""
        return self._wait(self._submit(lambda: self._score(requests)))

    def replay(self, prompt: str, parameters: Mapping[str, Any]) -> Generation:
        """Run a stored prompt (`Generation.prompt`) again, alone, with `Request.parameters()`: the same tokens."""
        request = Request(messages=[Message("user", "")], **parameters)
        return self._wait(self._submit(lambda: self._run([prompt], [request])[0]))

    def close(self) -> None:
        """Stop the runtime. The model can't be used afterwards."""
        self._worker.shutdown(wait=False, cancel_futures=True)
        self._runtime.close()

    def _submit(self, work: Callable[[], T]) -> "Future[T]":
        if not self._room.acquire(blocking=False):
            raise Busy("too many calls wait for the model", where=self._info.spec, hint="Ask again in a few seconds.")
        try:
            future = self._worker.submit(work)
        except RuntimeError:
            self._room.release()
            raise InputError("the model was closed", where=self._info.spec) from None
        future.add_done_callback(lambda _: self._room.release())
        return future

    def _wait(self, future: "Future[T]") -> T:
        try:
            return future.result()
        except KeyboardInterrupt:
            self.close()  # else leaving the program would wait for the generation
            raise

    def _generate(self, requests: Sequence[Request]) -> list[Generation]:
        return self._run([self._prompt(request.messages) for request in requests], requests)

    def _run(self, prompts: Sequence[str], requests: Sequence[Request]) -> list[Generation]:
        jobs = [self._job(prompt, request) for prompt, request in zip(prompts, requests, strict=True)]
        answers = self._runtime.complete(jobs)
        return [
            Generation(
                text=answer["content"],
                tokens=answer["tokens"],
                prompt=prompt,
                prompt_tokens=len(job.tokens),
                finish=_finish(answer, request),
                seconds=answer["seconds"],
            )
            for prompt, job, answer, request in zip(prompts, jobs, answers, requests, strict=True)
        ]

    def _pump(self, request: Request, pieces: "queue.SimpleQueue[str | None]", stopped: threading.Event) -> None:
        with closing(self._runtime.stream(self._job(self._prompt(request.messages), request))) as chunks:
            for chunk in chunks:
                if stopped.is_set():
                    break
                if "error" in chunk:
                    raise InputError(f"the model runtime stopped: {chunk['error'].get('message')}")
                if chunk["content"]:
                    pieces.put(chunk["content"])

    def _prompt(self, messages: Sequence[Message]) -> str:
        texts = [(message.role, self._runtime.plain(message.content)) for message in messages]
        if self._info.chat:
            return self._runtime.template(texts)
        return "\n\n".join(text for _, text in texts)

    def _job(self, prompt: str, request: Request) -> Job:
        tokens = self._tokens(prompt)
        parameters: dict[str, Any] = {
            "n_predict": min(request.max_tokens, self._info.context - len(tokens)),
            "temperature": request.temperature,
            "samplers": ["top_p", "temperature"],
            "top_p": request.top_p,
            "seed": request.seed,
            "stop": request.stop,
        }
        if request.json_schema is not None:
            self._runtime.check_schema(request.json_schema)
            parameters["json_schema"] = request.json_schema
        if request.grammar is not None:
            parameters["grammar"] = request.grammar
        return Job(tokens, parameters)

    def _tokens(self, prompt: str) -> list[int]:
        tokens = self._runtime.tokenize(prompt)
        if not tokens:
            raise InputError("the prompt is empty")
        if len(tokens) >= self._info.context:
            counts = f"{len(tokens):,} tokens, the context holds {self._info.context:,} with the answer"
            hint = "Shorten it, or raise `models.context` if the model allows more."
            raise InputError(f"the prompt is too long: {counts}", hint=hint)
        return tokens

    def _score(self, requests: Sequence[ScoreRequest]) -> list[dict[str, float]]:
        labels = [self._label_tokens(request.labels) for request in requests]
        jobs = [
            Job(self._tokens(self._prompt(request.messages)), {"n_predict": 1, "temperature": 0, "n_probs": LIKELY})
            for request in requests
        ]
        scores = []
        for job, variants, answer in zip(jobs, labels, self._runtime.complete(jobs), strict=True):
            found = {row["id"]: row["logprob"] for row in answer["completion_probabilities"][0]["top_logprobs"]}
            for token in {token for tokens in variants.values() for token in tokens} - found.keys():
                found[token] = self._forced(job, token)
            scores.append({label: _log_sum([found[token] for token in tokens]) for label, tokens in variants.items()})
        return scores

    def _forced(self, job: Job, token: int) -> float:
        """The log-probability of a token that isn't among the likely ones: a bias makes it the one reported."""
        parameters = {"n_predict": 1, "temperature": 0, "n_probs": 1, "logit_bias": [[token, 1e6]]}
        return float(self._runtime.complete([Job(job.tokens, parameters)])[0]["completion_probabilities"][0]["logprob"])

    def _label_tokens(self, labels: Sequence[str]) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        owner: dict[int, str] = {}
        for label in labels:
            variants = [self._runtime.tokenize(text, special=False) for text in (label, f" {label}")]
            tokens = sorted({variant[0] for variant in variants if len(variant) == 1})
            if not tokens:
                raise InputError(f"the label {label!r} is not a single token of {self._info.spec}")
            for token in tokens:
                if owner.setdefault(token, label) != label:
                    raise InputError(f"the labels {owner[token]!r} and {label!r} are the same token")
            found[label] = tokens
        return found


def _log_sum(values: Sequence[float]) -> float:
    high = max(values)
    return high + math.log(sum(math.exp(value - high) for value in values))


def _finish(answer: Mapping[str, Any], request: Request) -> Any:
    finish = "length" if answer["stop_type"] == "limit" else "stop"
    if request.json_schema is not None and finish == "stop":
        try:
            json.loads(answer["content"])
        except ValueError:
            # A stop text may cut JSON in two: not whole, as if the length had run out.
            return "length"
    return finish
