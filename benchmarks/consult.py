"""Start-up, warm consult, memory and the cost of a ledger entry, as whole processes and in process.

    python benchmarks/consult.py [--runs 5]

A process is timed from outside (wall, user + system CPU, peak resident memory); the first run of each command warms
the file cache and is not counted. In-process figures leave imports and loading out.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from osler import __version__

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
CASES = ("arterial-rupture.txt", "chest-pain.zh.txt", "cough-and-fever.dialogue.txt", "rheumatoid-arthritis.fhir.json")


def process(arguments: list[str], home: str) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak resident MB of one run."""
    started = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "osler", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OSLER_HOME": home},
    )
    _, status, usage = os.wait4(child.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, arguments
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def row(name: str, samples: list[tuple[float, float, float]]) -> None:
    wall, cpu, memory = ([sample[i] for sample in samples] for i in range(3))
    spread = f"{min(wall):.2f}–{max(wall):.2f}"
    print(
        f"| {name} | {len(samples)} | {statistics.median(wall):.2f} | {spread} "
        f"| {statistics.median(cpu):.2f} | {max(memory):.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    print(f"osler {__version__}, Python {platform.python_version()}, {os.cpu_count()} cores\n")
    with tempfile.TemporaryDirectory() as home:
        first = process(["consult", str(EXAMPLES / CASES[0])], home)
        print("| command (whole process) | runs | wall s, median | wall s, range | CPU s, median | peak MB |")
        print("|---|---:|---:|---|---:|---:|")
        row("first consult in a new home (unpacks the library)", [first])
        commands = [["--help"], ["graph", "show", "HP:0001166"], *(["consult", str(EXAMPLES / c)] for c in CASES)]
        for command in commands:
            samples = [process(command, home) for _ in range(runs + 1)][1:]
            row("`osler " + " ".join(Path(part).name for part in command) + "`", samples)

        # Imported only now: a child's peak memory counts what its parent held when it was forked.
        from osler.clinic.consult import consult
        from osler.ledger import Draft, Ledger
        from osler.reasoning.resources import Resources
        from osler.record import read
        from osler.settings import load_settings

        settings = load_settings({"home": home})
        resources = Resources(settings)
        print("\n| in process, all loaded | runs | ms, median | ms, range |\n|---|---:|---:|---|")
        for name in CASES:
            seconds = []
            for _ in range(runs + 1):
                started = time.perf_counter()
                result, trace = consult(read(EXAMPLES / name), resources)
                seconds.append(1000 * (time.perf_counter() - started))
            rest = seconds[1:]
            print(f"| consult {name} | {runs} | {statistics.median(rest):.0f} | {min(rest):.0f}–{max(rest):.0f} |")
        ledger = Ledger.open(settings)
        payload = {"output": json.loads(result.model_dump_json(by_alias=True)), "trace": trace.model_dump(mode="json")}
        single = []
        for _ in range(50):
            started = time.perf_counter()
            ledger.append("bench", payload, subject="bench")
            single.append(1000 * (time.perf_counter() - started))
        print(f"| ledger append of a consult, durable (fsync) | 50 | {statistics.median(single):.1f} | "
              f"{min(single):.1f}–{max(single):.1f} |")  # fmt: skip
        drafts = [Draft("bench", {"n": n}, "bench") for n in range(2000)]
        started = time.perf_counter()
        ledger.append_many(drafts)
        print(f"\n2,000 small entries in one transaction: {2000 / (time.perf_counter() - started):,.0f} appends/s")


if __name__ == "__main__":
    main()
