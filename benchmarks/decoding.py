"""Tokens a second through Osler against the runtime's own bare loop, with the same weights, prompt and threads.

Each engine is a process of its own (so that memory is told apart); they take turns, prompt by prompt, in one run.
Usage: python benchmarks/decoding.py [--rounds 5] [--threads 0]. OSLER_DEV_MODEL names a second GGUF file.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

CONTEXT = 2048
TOKENS = 64
BATCH = 4
NOTE = "The patient reports chest pain that radiates to the left arm, with sweating and nausea since two hours. " * 10
QUESTION = "Number {n}. {note}\nWrite a long and detailed story about this patient, the family and the hospital."


class Sample(NamedTuple):
    tokens: int
    seconds: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--serve", choices=["osler", "bare"], help=argparse.SUPPRESS)
    parser.add_argument("--weights", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    threads = options.threads or len(os.sched_getaffinity(0))
    if options.serve:
        serve(options.serve, options.weights, threads)
        return
    print(
        f"xllamacpp {importlib.metadata.version('xllamacpp')}, Python {platform.python_version()}, {threads} threads,"
    )
    print(f"{options.rounds} rounds, median (least to most); load average at the start {os.getloadavg()[0]:.1f}\n")
    for name, weights in models():
        measure(name, weights, options.rounds, threads)


def models() -> list[tuple[str, Path]]:
    from osler.models.catalogue import FILE, PACKAGE

    embedded = Path(str(importlib.metadata.distribution(PACKAGE).locate_file(FILE)))
    development = os.environ.get("OSLER_DEV_MODEL")
    return [(embedded.stem, embedded), *([(Path(development).stem, Path(development))] if development else [])]


def measure(name: str, weights: Path, rounds: int, threads: int) -> None:
    engines = {engine: start(engine, weights, threads) for engine in ("osler", "bare")}
    found: dict[tuple[str, str], list[Sample]] = {}
    for number in range(rounds + 1):
        order = list(engines) if number % 2 else list(engines)[::-1]
        for what in ("prefill", "decode", "batch"):
            for engine in order:
                if (engine, what) == ("bare", "batch"):
                    continue
                tokens, seconds, spent = ask(engines[engine], {"what": what, "n": number})
                if number:  # the first round warms up
                    found.setdefault((engine, what), []).append(Sample(int(tokens), seconds, spent))
    peaks = {engine: ask(process, {"what": "stop"})[0] / 1024 for engine, process in engines.items()}
    print(f"### {name}\n")
    print("| | n | Osler, tokens/s | bare loop, tokens/s | ratio | ratio by CPU time |")
    print("|---|---|---|---|---|---|")
    for what in ("prefill", "decode"):
        ours, theirs = found["osler", what], found["bare", what]
        wall = [statistics.median(rates(samples)) for samples in (ours, theirs)]
        cpu = [statistics.median(sample.tokens / sample.cpu for sample in samples) for samples in (ours, theirs)]
        ratios = f"{wall[0] / wall[1]:.2f} | {cpu[0] / cpu[1]:.2f}"
        print(f"| {what} | {rounds} | {spread(rates(ours))} | {spread(rates(theirs))} | {ratios} |")
    print(f"| decode, {BATCH} at once | {rounds} | {spread(rates(found['osler', 'batch']))} | | | |")
    memory = [peaks["osler"], peaks["bare"]]
    print(f"| peak memory, MB | 1 | {memory[0]:.0f} | {memory[1]:.0f} | {memory[0] / memory[1]:.2f} | |\n")


def rates(samples: list[Sample]) -> list[float]:
    return [sample.tokens / sample.seconds for sample in samples]


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def start(engine: str, weights: Path, threads: int) -> "subprocess.Popen[str]":
    command = [sys.executable, __file__, "--serve", engine, "--weights", str(weights), "--threads", str(threads)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def ask(process: "subprocess.Popen[str]", request: dict[str, Any]) -> list[float]:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(json.dumps(request) + "\n")
    process.stdin.flush()
    answer: list[float] = json.loads(process.stdout.readline())
    return answer


def serve(engine: str, weights: Path, threads: int) -> None:
    generate = osler_engine(weights, threads) if engine == "osler" else bare_engine(weights, threads)
    print("ready", flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        usage = resource.getrusage(resource.RUSAGE_SELF)
        if request["what"] == "stop":
            print(json.dumps([usage.ru_maxrss]), flush=True)
            break
        prompt = QUESTION.format(n=request["n"], note=NOTE)
        prompts = [f"{prompt} {place}" for place in range(BATCH)] if request["what"] == "batch" else [prompt]
        if request["what"] == "batch":
            generate(prompts, 1)
        began = time.perf_counter()
        cpu = time.process_time()
        read, made = generate(prompts, 1 if request["what"] == "prefill" else TOKENS)
        tokens = read if request["what"] == "prefill" else made
        print(json.dumps([tokens, time.perf_counter() - began, time.process_time() - cpu]), flush=True)


def osler_engine(weights: Path, threads: int) -> Callable[[list[str], int], tuple[int, int]]:
    from osler.models import Message, Request
    from osler.models.gguf import GgufModel
    from osler.settings import load_settings

    flags = {"home": tempfile.mkdtemp(), "models.threads": threads, "models.context": CONTEXT}
    model = GgufModel(f"gguf:{weights}", load_settings(flags, environment={}), parallel=BATCH)

    def generate(prompts: list[str], tokens: int) -> tuple[int, int]:
        requests = [Request(messages=[Message("user", prompt)], max_tokens=tokens) for prompt in prompts]
        said = model.generate(requests)
        return sum(each.prompt_tokens for each in said), sum(len(each.tokens or []) for each in said)

    return generate


def bare_engine(weights: Path, threads: int) -> Callable[[list[str], int], tuple[int, int]]:
    """The runtime as it comes: its own batch sizes, flash attention and repacked weights."""
    import xllamacpp  # type: ignore[import-untyped]

    settings = xllamacpp.CommonParams()
    settings.model.path, settings.n_ctx, settings.n_parallel, settings.verbosity = str(weights), CONTEXT, 1, -1
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(settings)

    def generate(prompts: list[str], tokens: int) -> tuple[int, int]:
        messages = [{"role": "user", "content": prompts[0]}]
        body = {"messages": messages, "max_tokens": tokens, "temperature": 0}
        usage = server.handle_chat_completions(body)["usage"]
        return usage["prompt_tokens"], usage["completion_tokens"]

    return generate


if __name__ == "__main__":
    main()
