"""Letter scoring: questions a second of `osler bench run medmcqa --method letters` and of lm-evaluation-harness.

    python benchmarks/bench_speed.py --data DATA --peer PYTHON [--questions 500] [--blocks 5] [--batches 1,4,8,16]

Same weights (the embedded GGUF file; the peer loads it by transformers' `gguf_file`, which makes it float32), same
questions (report part, seed 0), same prompt text. PYTHON has lm-eval, torch (CPU), transformers and gguf installed. The
peer's batch size is the quickest on the first block; then both take turns, block by block, each loaded once.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

LETTERS = "ABCD"


class Block(NamedTuple):
    """What an engine did with a block of questions: wall and CPU seconds, and its choices."""

    seconds: float
    cpu: float
    choices: list[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--peer", type=Path, required=True, help="the interpreter that has lm-eval")
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--batches", default="1,4,8,16")
    parser.add_argument("--threads", type=int, default=0, help="of both; default: the cores")
    parser.add_argument("--serve", choices=["osler", "peer"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options)
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SPEED_FOLDER"] = folder
        os.environ |= {"HF_HOME": folder, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        measure(options)


def measure(options: argparse.Namespace) -> None:
    load, threads = os.getloadavg()[0], options.threads or len(os.sched_getaffinity(0))
    os.environ |= {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}  # of the peer
    truth = write_questions(options)
    osler, peer = start("osler", sys.executable), start("peer", str(options.peer))
    print(f"osler: {osler[1]}; peer: {peer[1]}\n{options.questions} questions, {threads} threads")
    tried = {}
    for batch in map(int, options.batches.split(",")):
        made = ask(peer[0], 0, batch)
        tried[batch] = len(made.choices) / made.seconds
        print(f"peer, batch size {batch}: {tried[batch]:.2f} questions/s, {rate(made):.2f} a CPU-second", flush=True)
    best = max(tried, key=tried.__getitem__)
    ask(osler[0], 0, best)  # warms up, as the choice of the batch size warmed the peer
    found: dict[str, list[Block]] = {"osler": [], "peer": []}
    for block in range(options.blocks):
        turn = [("osler", osler[0]), ("peer", peer[0])]
        for name, process in turn if block % 2 else turn[::-1]:
            found[name].append(ask(process, block, best))
    report(found, truth, best, load)


def report(found: dict[str, list[Block]], truth: list[str], batch: int, load: float) -> None:
    from osler.statistics import wilson

    print(f"\nload average {load:.1f} at the start, {os.getloadavg()[0]:.1f} at the end; medians of blocks (range)\n")
    print("| | questions/s | questions a CPU-second | accuracy |\n|---|---|---|---|")
    choices = {name: [choice for block in blocks for choice in block.choices] for name, blocks in found.items()}
    for name, blocks in found.items():
        right = sum(a == b for a, b in zip(choices[name], truth, strict=True))
        low, high = wilson(right, len(truth))
        wall, cpu = spread([len(b.choices) / b.seconds for b in blocks]), spread([rate(b) for b in blocks])
        about = name if name == "osler" else f"lm-eval, batch size {batch}"
        print(f"| {about} | {wall} | {cpu} | {right / len(truth):.3f} [{low:.3f}, {high:.3f}] |")
    pairs = list(zip(found["osler"], found["peer"], strict=True))
    wall, cpu = spread([b.seconds / a.seconds for a, b in pairs]), spread([b.cpu / a.cpu for a, b in pairs])
    print(f"| ratio | {wall} | {cpu} | |")
    same = sum(a == b for a, b in zip(*choices.values(), strict=True))
    print(f"\nSame choice: {same} of {len(truth)}.")


def rate(block: Block) -> float:
    return len(block.choices) / block.cpu


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def write_questions(options: argparse.Namespace) -> list[str]:
    """The blocks as the peer's tasks, in the prompts that Osler's runtime makes; the right letters."""
    from osler.bench.choice import messages
    from osler.bench.runner import drawn
    from osler.bench.tasks import find_task
    from osler.models import load_model

    folder, settings = Path(os.environ["SPEED_FOLDER"]), osler_settings(options)
    items = drawn(find_task("medmcqa").items(options.data, "report"), options.questions, 0)
    model: Any = load_model("smollm2", settings)
    prompts = [model._prompt(messages(item, generated=False)) for item in items]
    size = len(items) // options.blocks
    items, prompts = items[: size * options.blocks], prompts[: size * options.blocks]
    for block in range(options.blocks):
        part = slice(block * size, (block + 1) * size)
        rows = [
            {"prompt": prompt, "gold": LETTERS.index(item.answer)}
            for prompt, item in zip(prompts[part], items[part], strict=True)
        ]
        (folder / f"block{block}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (folder / f"block{block}.yaml").write_text(f"""task: block{block}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder}/block{block}.jsonl}}}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{prompt}}}}"
doc_to_choice: ["A", "B", "C", "D"]
doc_to_target: gold
target_delimiter: ""
metric_list: [{{metric: acc}}]
""")
    (folder / "items.json").write_text(json.dumps([item.id for item in items]))
    model.close()
    return [item.answer for item in items]


def start(engine: str, python: str) -> "tuple[subprocess.Popen[str], str]":
    command = [python, __file__, *sys.argv[1:], "--serve", engine]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("ready "):
            return process, line.removeprefix("ready ").strip()
    raise SystemExit(f"{engine} did not start")


def ask(process: "subprocess.Popen[str]", block: int, batch: int) -> Block:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(json.dumps([block, batch]) + "\n")
    process.stdin.flush()
    line = next(line for line in process.stdout if line.startswith("["))
    return Block(*json.loads(line))


def serve(options: argparse.Namespace) -> None:
    engine = osler_engine(options) if options.serve == "osler" else peer_engine()
    print("ready", next(engine), flush=True)
    for line in sys.stdin:
        block, batch = json.loads(line)
        began, cpu = time.perf_counter(), time.process_time()
        choices = engine.send((block, batch))
        print(json.dumps([time.perf_counter() - began, time.process_time() - cpu, choices]), flush=True)
        next(engine)


def osler_settings(options: argparse.Namespace) -> Any:
    from osler.settings import load_settings

    flags = {"home": os.environ["SPEED_FOLDER"], "bench.data": str(options.data), "models.threads": options.threads}
    return load_settings(flags, environment={})


def osler_engine(options: argparse.Namespace) -> Iterator[Any]:
    """What `osler bench run` does with each batch, the model loaded."""
    from osler import __version__
    from osler.bench.task import Bench
    from osler.bench.tasks import find_task

    task, bench = find_task("medmcqa"), Bench(osler_settings(options))
    bench.resources.model.info  # noqa: B018 - loads it
    by_id = {item.id: item for item in task.items(options.data, "report")}
    items = [by_id[name] for name in json.loads((Path(os.environ["SPEED_FOLDER"]) / "items.json").read_text())]
    size = len(items) // options.blocks
    runtime = importlib.metadata.version("xllamacpp")
    block, _ = yield f"osler {__version__}, xllamacpp {runtime}, Python {platform.python_version()}"
    while True:
        part = items[block * size : (block + 1) * size]
        batches = [part[place : place + task.batch] for place in range(0, len(part), task.batch)]
        yield [reply.said for batch in batches for reply in task.ask(batch, "letters", bench)]
        block, _ = yield


def peer_engine() -> Iterator[Any]:
    import torch
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    file = Path(os.environ["SPEED_GGUF"])
    model = HFLM(pretrained=str(file.parent), gguf_file=file.name, tokenizer=None, device="cpu", dtype="float32")
    manager = TaskManager(include_path=os.environ["SPEED_FOLDER"], include_defaults=False)
    settings: Any = {"task_manager": manager, "bootstrap_iters": 0, "log_samples": True}
    names = ("lm_eval", "torch", "transformers")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    block, batch = yield f"{versions}, {torch.get_num_threads()} threads, {model.model.dtype}"
    while True:
        model.batch_size_per_gpu = batch
        made = simple_evaluate(model, tasks=[f"block{block}"], **settings)
        samples = sorted(made["samples"][f"block{block}"], key=lambda sample: sample["doc_id"])
        said = [[float(one[0]) for one in sample["filtered_resps"]] for sample in samples]
        yield [LETTERS[max(range(4), key=values.__getitem__)] for values in said]
        block, batch = yield


if __name__ == "__main__":
    if "SPEED_GGUF" not in os.environ:
        from osler.models.catalogue import FILE, PACKAGE

        os.environ["SPEED_GGUF"] = str(importlib.metadata.distribution(PACKAGE).locate_file(FILE))
    main()
