"""The llama.cpp runtime (xllamacpp) in this process: one loaded GGUF file, its sequences and their prefix caches.

It works so that an answer depends on its prompt and parameters alone, never on what runs beside it or ran before:
prompts are evaluated one at a time in chunks that begin at multiples of `CHUNK` (counted from the end of a shared
beginning, if the job names one), a cached prefix is reused only up to such a boundary, sequences have caches of their
own, and only kernels whose rows don't depend on the batch are used.
It does not know messages, queues or errors of the user; calls must come from one thread at a time.
"""

import json
import os
import secrets
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from osler.errors import InputError

CHUNK = 128  # tokens of a prompt evaluated at once; prefixes are shared in multiples of it
_NEVER_JSON = "@"  # no JSON text begins with it


class Job(NamedTuple):
    """One completion: the prompt's tokens and the runtime's own parameters. `shared`: so many tokens that other prompts
    begin with too are evaluated as a chunk of their own; the caller must take them from this prompt alone."""

    tokens: list[int]
    parameters: dict[str, Any]
    shared: int = 0


class Cached(NamedTuple):
    """Prompt tokens evaluated in a sequence, and how many of them as a shared beginning."""

    tokens: list[int]
    shared: int = 0


class Runtime:
    """Raises InputError if the file can't be loaded. `context`: tokens of each of `sequences` sequences."""

    def __init__(self, path: Path, context: int, sequences: int, threads: int, adapter: Path | None = None) -> None:
        import httpx
        import xllamacpp  # type: ignore[import-untyped]

        settings = _parameters(xllamacpp, path, context, sequences, threads, adapter)
        settings.api_keys = [secrets.token_hex(16)]
        try:
            self._server: Any = xllamacpp.Server(settings)
        except RuntimeError:
            hint = "The file may be cut off, or of a kind this runtime doesn't know. OSLER_DEBUG=1 shows its log."
            place = f"{path} with adapter {adapter}" if adapter else str(path)
            raise InputError("the model can't be loaded", where=place, hint=hint) from None
        # The runtime's listener on the loopback address, behind a key that only this process knows: the one way to
        # its tokenizer and templates. Proxies of the environment must not come between.
        self._client = httpx.Client(
            base_url=self._server.listening_address,
            headers={"Authorization": f"Bearer {settings.api_keys[0]}"},
            timeout=httpx.Timeout(None, connect=10),
            trust_env=False,
        )
        self.sequences = sequences
        self._cached = [Cached([])] * sequences
        self._decoders = ThreadPoolExecutor(max_workers=sequences, thread_name_prefix="osler-decode")
        self._usable: set[str] = set()

    def close(self) -> None:
        """Stop at once, also in the middle of a generation."""
        self._client.close()
        self._decoders.shutdown(wait=False, cancel_futures=True)
        self._server = None

    def template(self, messages: Sequence[tuple[str, str]]) -> str:
        """The messages as the prompt the model was trained on."""
        turns = [{"role": role, "content": content} for role, content in messages]
        return str(self._post("/apply-template", {"messages": turns})["prompt"])

    def tokenize(self, text: str, special: bool = True) -> list[int]:
        """`special`: control tokens written in the text count as such, and the text is a whole prompt."""
        body = {"content": text, "add_special": special, "parse_special": special}
        return list(self._post("/tokenize", body)["tokens"])

    def plain(self, text: str) -> str:
        """The text with the model's control tokens broken up, so that a note can't pose as another speaker."""
        for _ in range(8):  # a mark may appear when another is broken
            body = {"content": text, "add_special": False, "parse_special": True, "with_pieces": True}
            ordinary = set(self._post("/tokenize", {**body, "parse_special": False, "with_pieces": False})["tokens"])
            rows = self._post("/tokenize", body)["tokens"]
            marks = {row["piece"] for row in rows if row["id"] not in ordinary and isinstance(row["piece"], str)}
            marks = {mark for mark in marks if len(mark) > 1 and mark in text}
            if not marks:
                break
            for mark in sorted(marks, key=len, reverse=True):
                text = text.replace(mark, f"{mark[0]} {mark[1:]}")
        return text

    def check_schema(self, schema: dict[str, Any]) -> None:
        """Raises InputError for a JSON schema the runtime can't enforce (it would go on without one, silently)."""
        name = json.dumps(schema, sort_keys=True)
        if name not in self._usable:
            bias = [[self.tokenize(_NEVER_JSON, special=False)[0], 1000.0]]
            body = {"n_predict": 1, "temperature": 0, "logit_bias": bias, "json_schema": schema}
            last = len(self._cached) - 1
            self._cached[last] = Cached([])
            answer = self._post("/completion", {**body, "prompt": "{", "id_slot": last, "cache_prompt": False})
            if _NEVER_JSON in answer["content"]:
                raise InputError("the JSON schema can't be enforced: a type or reference in it is unknown", where=name)
            self._usable.add(name)

    def complete(self, jobs: Sequence[Job]) -> list[dict[str, Any]]:
        """The runtime's answers in order, each with its own `seconds`; as many at once as there are sequences."""
        answers: list[dict[str, Any]] = []
        for start in range(0, len(jobs), self.sequences):
            group = jobs[start : start + self.sequences]
            slots = self._slots(group)
            seconds = [self._prefill(job, slot) for job, slot in zip(group, slots, strict=True)]
            for answer, spent in zip(self._decoders.map(self._decode, group, slots), seconds, strict=True):
                own = (answer["timings"]["prompt_ms"] + answer["timings"]["predicted_ms"]) / 1000
                answers.append({**answer, "seconds": round(spent + own, 3)})
        return answers

    def stream(self, job: Job) -> Generator[str, None, None]:
        """Pieces of text as they come. Closing the iterator stops the generation."""
        [slot] = self._slots([job])
        self._prefill(job, slot)
        with self._client.stream("POST", "/completion", json={**_body(job, slot), "stream": True}) as response:
            if response.status_code != 200:
                response.read()
                raise _refused(response.json())
            for line in response.iter_lines():
                if line.startswith("data: "):
                    chunk = json.loads(line[6:])
                    if "error" in chunk:
                        raise _refused(chunk)
                    if chunk["content"]:
                        yield chunk["content"]

    def _slots(self, jobs: Sequence[Job]) -> list[int]:
        """For each job a sequence of its own, the one with most of its prompt in cache first."""
        free = list(range(len(self._cached)))
        chosen = []
        for job in jobs:
            best = max(free, key=lambda slot: (self._reusable(job, slot), -len(self._cached[slot].tokens)))
            free.remove(best)
            chosen.append(best)
        return chosen

    def _reusable(self, job: Job, slot: int) -> int:
        """How many tokens of the prompt (without its last) are in the sequence's cache exactly as if evaluated anew."""
        (cached, shared), wanted = self._cached[slot], job.tokens[:-1]
        if shared != job.shared:
            return 0
        if cached == wanted:
            return len(wanted)
        length = min(len(cached), len(wanted))
        same = next((i for i in range(length) if cached[i] != wanted[i]), length)
        return 0 if same < shared else shared + (same - shared) // CHUNK * CHUNK

    def _prefill(self, job: Job, slot: int) -> float:
        """Evaluate all but the last token of the prompt; the seconds it took."""
        began = time.perf_counter()
        wanted, kept = job.tokens[:-1], self._reusable(job, slot)
        cached, self._cached[slot] = self._cached[slot].tokens, Cached([])
        if not kept and job.shared:
            self._evaluate(wanted[: job.shared], slot, reuse=False)
            cached, kept = [], job.shared
        if kept < len(wanted):
            if kept and cached[kept : kept + 1] == wanted[kept : kept + 1]:
                # The runtime would reuse more than the boundary allows: another token there makes it forget the rest.
                self._evaluate([*wanted[:kept], 0 if wanted[kept] != 0 else 1], slot, reuse=True)
            self._evaluate(wanted, slot, reuse=bool(kept))
        self._cached[slot] = Cached(wanted, job.shared)
        return time.perf_counter() - began

    def _evaluate(self, tokens: list[int], slot: int, reuse: bool) -> None:
        self._post("/completion", {"prompt": tokens, "n_predict": 0, "id_slot": slot, "cache_prompt": reuse})

    def _decode(self, job: Job, slot: int) -> dict[str, Any]:
        return self._post("/completion", _body(job, slot))

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        import httpx

        try:
            response = self._client.post(path, json=body)
        except httpx.RemoteProtocolError:
            # The listener closed a connection that had rested; what is asked for changes nothing, so it is asked again.
            response = self._client.post(path, json=body)
        content: dict[str, Any] = response.json()
        if response.status_code != 200:
            raise _refused(content)
        return content


def _body(job: Job, slot: int) -> dict[str, Any]:
    return {**job.parameters, "prompt": job.tokens, "id_slot": slot, "cache_prompt": True, "return_tokens": True}


def _refused(content: dict[str, Any]) -> InputError:
    message = content.get("error", {}).get("message", "no reason given")
    return InputError(f"the model runtime refused the request: {message}")


def _parameters(xllamacpp: Any, path: Path, context: int, sequences: int, threads: int, adapter: Path | None) -> Any:
    made = xllamacpp.CommonParams()
    made.model.path = str(path)
    made.verbosity = 3 if os.environ.get("OSLER_DEBUG") else -1
    made.n_ctx, made.n_parallel, made.kv_unified = context * sequences, sequences, False
    made.n_batch = made.n_ubatch = CHUNK
    for cpu in (made.cpuparams, made.cpuparams_batch):
        cpu.n_threads = threads
    # Repacked weights and flash attention choose their kernel by the size of the batch: results would depend on it.
    made.no_extra_bufts = True
    made.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    made.cache_ram_mib, made.cache_idle_slots, made.n_ctx_checkpoints = 0, False, 0
    made.fit_params = made.warmup = made.ui = made.endpoint_slots = False
    if adapter is not None:
        made.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), 1.0)]
    return made
