"""A GGUF file as a language model in this process, through the llama.cpp runtime.

One worker owns the runtime behind a bounded queue. A batch gives each request what it would get alone, and `replay`
gives a stored prompt its tokens again. It does not know what the texts are for.
"""

import itertools
import json
import math
import os
import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any, Literal, TypeVar

from osler.errors import InputError
from osler.models.base import Busy, Generation, Message, ModelInfo, Request, ScoreRequest
from osler.models.catalogue import find_weights
from osler.models.runtime import Job, Runtime
from osler.settings import Settings

T = TypeVar("T")

WAITING = 32  # calls that may wait before the model says it is busy
LIKELY = 1024  # next tokens looked at before a label is asked for by itself


class GgufModel:
    """`LanguageModel` over `smollm2` or `gguf:PATH`; loads at once and takes some memory for each of `parallel`
    sequences. Raises what `find_weights` does. `waiting`: calls that may queue; one more raises Busy."""

    def __init__(self, spec: str, settings: Settings, parallel: int | None = None, waiting: int = WAITING) -> None:
        weights = find_weights(spec, settings)
        header, context = weights.header, weights.context
        self.info = ModelInfo(spec, weights.digest, context, header.chat, header.licence, local=True)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        sequences, threads = parallel or min(4, cores), settings.models.threads or cores
        self._runtime = Runtime(weights.path, context, sequences, threads, weights.adapter)
        self._labels: dict[str, list[int]] = {}  # their tokens
        self._beginnings: dict[tuple[Message, ...], list[int]] = {}  # of prompts, by all messages but the last
        self._room = threading.BoundedSemaphore(waiting + 1)
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="osler-model")

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        """Raises InputError for a prompt that doesn't fit (nothing of the batch is then run), Busy if many wait."""
        return self._call(lambda: self._complete([self._prompt(each.messages) for each in requests], requests))

    def replay(self, prompt: str, parameters: Mapping[str, Any]) -> Generation:
        """Run a stored prompt (`Generation.prompt`) again, alone, with `Request.parameters()`: the same tokens."""
        request = Request(messages=[Message("user", "")], **parameters)
        return self._call(lambda: self._complete([prompt], [request])[0])

    def score(self, requests: Sequence[ScoreRequest]) -> list[dict[str, float]]:
        """Raises InputError for a label that isn't one token, alone or with a space before it."""
        return self._call(lambda: self._score(requests))

    def count(self, text: str) -> int:
        return self._call(lambda: len(self._runtime.tokenize(text, special=False)))

    def next_tokens(self, messages: Sequence[Message], count: int) -> tuple[str, list[int], dict[int, float]]:
        """The prompt, its tokens, and natural log-probabilities of the likeliest next ones: to compare runtimes by."""

        def work() -> tuple[str, list[int], dict[int, float]]:
            prompt = self._prompt(messages)
            job = Job(self._tokens(prompt), {"n_predict": 1, "temperature": 0, "n_probs": count})
            return prompt, job.tokens, self._found(job, set(), self._runtime.complete([job])[0])

        return self._call(work)

    def stream(self, request: Request) -> Iterator[str]:
        """Text as it is made, at the model's speed however slowly it is read; closing the iterator stops it."""
        pieces: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        stopped = threading.Event()

        def pump() -> None:
            with closing(self._runtime.stream(self._job(self._prompt(request.messages), request))) as made:
                for piece in made:
                    if stopped.is_set():
                        break
                    pieces.put(piece)

        done = self._submit(pump)
        done.add_done_callback(lambda _: pieces.put(None))
        try:
            while (piece := pieces.get()) is not None:
                yield piece
            done.result()
        finally:
            stopped.set()

    def close(self) -> None:
        """Stop the runtime. The model can't be used afterwards."""
        self._worker.shutdown(wait=False, cancel_futures=True)
        self._runtime.close()

    def _submit(self, work: Callable[[], T]) -> "Future[T]":
        if not self._room.acquire(blocking=False):
            raise Busy("too many calls wait for the model", where=self.info.spec, hint="Ask again in a few seconds.")
        try:
            future = self._worker.submit(work)
        except RuntimeError:
            self._room.release()
            raise InputError("the model was closed", where=self.info.spec) from None
        future.add_done_callback(lambda _: self._room.release())
        return future

    def _call(self, work: Callable[[], T]) -> T:
        future = self._submit(work)
        try:
            return future.result()
        except KeyboardInterrupt:
            self.close()  # else leaving the program would wait for the generation
            raise

    def _prompt(self, messages: Sequence[Message]) -> str:
        texts = [(message.role, self._runtime.plain(message.content)) for message in messages]
        return self._runtime.template(texts) if self.info.chat else "\n\n".join(text for _, text in texts)

    def _complete(self, prompts: Sequence[str], requests: Sequence[Request]) -> list[Generation]:
        jobs = [self._job(prompt, request) for prompt, request in zip(prompts, requests, strict=True)]
        made = zip(prompts, jobs, self._runtime.complete(jobs), requests, strict=True)
        return [
            Generation(
                text=answer["content"],
                tokens=answer["tokens"],
                prompt=prompt,
                prompt_tokens=len(job.tokens),
                finish=_finish(answer, request),
                seconds=answer["seconds"],
            )
            for prompt, job, answer, request in made
        ]

    def _job(self, prompt: str, request: Request) -> Job:
        tokens = self._tokens(prompt)
        parameters: dict[str, Any] = {
            "n_predict": min(request.max_tokens, self.info.context - len(tokens)),
            "samplers": ["top_p", "temperature"],
            **request.model_dump(include={"temperature", "top_p", "seed", "stop"}),
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
        if len(tokens) >= self.info.context:
            counts = f"{len(tokens):,} tokens, the context holds {self.info.context:,} with the answer"
            hint = "Shorten it, or raise `models.context` if the model allows more."
            raise InputError(f"the prompt is too long: {counts}", hint=hint)
        return tokens

    def _score(self, requests: Sequence[ScoreRequest]) -> list[dict[str, float]]:
        labels = [self._label_tokens(request.labels) for request in requests]
        asked = {"n_predict": 1, "temperature": 0, "n_probs": LIKELY}
        jobs = []
        for request in requests:
            tokens = self._tokens(self._prompt(request.messages))
            jobs.append(Job(tokens, asked, self._shared(request.messages, tokens)))
        scores, size = [], self._runtime.sequences
        for start in range(0, len(jobs), size):  # a prompt's further questions while it is in a sequence's cache
            group = jobs[start : start + size]
            made = self._runtime.complete(group)
            for job, variants, answer in zip(group, labels[start:], made, strict=False):
                wanted = {token for tokens in variants.values() for token in tokens}
                found = self._found(job, wanted, answer)
                scores.append({label: _log_sum([found[token] for token in mine]) for label, mine in variants.items()})
        return scores

    def _found(self, job: Job, wanted: set[int], answer: Mapping[str, Any]) -> dict[int, float]:
        """Log-probabilities of the wanted tokens and the likeliest."""
        # The runtime tells none where its likeliest token is part of a character only.
        likely = answer.get("completion_probabilities") or [{"top_logprobs": []}]
        found = {row["id"]: row["logprob"] for row in likely[0]["top_logprobs"]}
        for token in wanted - found.keys():
            # It isn't among the likely ones: a bias makes it the one that is reported.
            forced = job._replace(parameters={**job.parameters, "n_probs": 1, "logit_bias": [[token, 1e6]]})
            found[token] = self._runtime.complete([forced])[0]["completion_probabilities"][0]["logprob"]
        return found

    def _shared(self, messages: Sequence[Message], tokens: Sequence[int]) -> int:
        """How many tokens the prompt has in common with the one whose last message is empty: what other prompts of the
        kind begin with. It follows from this prompt alone."""
        before = tuple(messages[:-1])
        if before not in self._beginnings:
            if len(self._beginnings) >= 64:
                self._beginnings.clear()
            self._beginnings[before] = self._runtime.tokenize(self._prompt([*before, Message(messages[-1].role, "")]))
        pairs = zip(self._beginnings[before], tokens[:-1], strict=False)
        return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))

    def _label_tokens(self, labels: Sequence[str]) -> dict[str, list[int]]:
        owner: dict[int, str] = {}
        for label in labels:
            if label not in self._labels:
                variants = [self._runtime.tokenize(text, special=False) for text in (label, f" {label}")]
                single = sorted({variant[0] for variant in variants if len(variant) == 1})
                if not single:
                    raise InputError(f"the label {label!r} is not a single token of {self.info.spec}")
                self._labels[label] = single
            for token in self._labels[label]:
                if owner.setdefault(token, label) != label:
                    raise InputError(f"the labels {owner[token]!r} and {label!r} are the same token")
        return {label: self._labels[label] for label in labels}


def _log_sum(values: Sequence[float]) -> float:
    high = max(values)
    return high + math.log(sum(math.exp(value - high) for value in values))


def _finish(answer: Mapping[str, Any], request: Request) -> Literal["stop", "length"]:
    if answer["stop_type"] == "limit":
        return "length"
    if request.json_schema is not None:
        try:
            json.loads(answer["content"])
        except ValueError:
            return "length"  # a stop text cut the JSON in two: not whole, as if the length had run out
    return "stop"
