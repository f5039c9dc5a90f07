"""Times FHIR reading: Osler's reader beside bare JSON decoding and fhir.resources, in one process on the same bytes.

Usage: python benchmarks/fhir_reading.py BUNDLE.json.gz [--runs N] [--out benchmarks/fhir_reading.md]
Two larger bundles are made from it: all its resources, or its observations only, repeated under new ids and days
until there is 0.71 MB (the second is the hard case: many small resources, each of which becomes a part of the Case).
"""

import argparse
import copy
import gzip
import importlib.metadata
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import orjson

from osler.record import read

SIZE = 710_000  # bytes of the larger bundles


def enlarged(bundle: bytes, size: int, only: str | None = None) -> bytes:
    """The bundle with its resources (of one type only) repeated, each copy with its own address, id and day so that
    none is merged. The patient is never repeated."""
    content = json.loads(bundle)
    repeated = [
        one for one in content["entry"] if one["resource"]["resourceType"] in ([only] if only else _kinds(content))
    ]
    total, copies = len(orjson.dumps(content)), 0
    while total < size:
        entry = copy.deepcopy(repeated[copies % len(repeated)])
        day = date(1990, 1, 1) + timedelta(days=copies)
        entry["fullUrl"] = f"urn:uuid:copy-{copies}"
        entry["resource"]["id"] = f"copy-{copies}"
        for field in {"effectiveDateTime", "onsetDateTime", "authoredOn", "occurrenceDateTime"} & entry[
            "resource"
        ].keys():
            entry["resource"][field] = f"{day.isoformat()}T08:00:00+00:00"
        for field in {"performedPeriod", "period"} & entry["resource"].keys():
            entry["resource"][field] = {"start": f"{day.isoformat()}T08:00:00+00:00"}
        content["entry"].append(entry)
        total += len(orjson.dumps(entry)) + 1
        copies += 1
    return orjson.dumps(content)


def _kinds(content: dict[str, Any]) -> set[str]:
    return {one["resource"]["resourceType"] for one in content["entry"]} - {"Patient"}


def timed(work: Callable[[], Any], runs: int) -> tuple[float, float, float, float]:
    """Median wall time, its quartiles, and median CPU time, all in milliseconds, after three runs unmeasured."""
    for _ in range(3):
        work()
    wall, processor = [], []
    for _ in range(runs):
        cpu, start = time.process_time(), time.perf_counter()
        work()
        wall.append((time.perf_counter() - start) * 1e3)
        processor.append((time.process_time() - cpu) * 1e3)
    low, middle, high = statistics.quantiles(wall, n=4)
    return middle, low, high, statistics.median(processor)


def import_time(module: str) -> float:
    """Seconds that a fresh interpreter needs to import the module, less the bare start; the best of five."""

    def best(code: str) -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times.append(time.perf_counter() - start)
        return min(times)

    return best(f"import {module}") - best("pass")


def rows(name: str, data: bytes, runs: int) -> list[str]:
    from fhir.resources.R4B.bundle import Bundle

    case = read(data)
    entries = len(json.loads(data)["entry"])
    parts = len(case.observations) + len(case.conditions) + len(case.medications) + len(case.procedures)
    works: list[tuple[str, Callable[[], Any], int]] = [
        ("orjson.loads (no types)", lambda: orjson.loads(data), runs),
        ("msgspec.json.decode (no types)", lambda: msgspec.json.decode(data), runs),
        ("osler.record.read (checked, merged, a Case)", lambda: read(data), runs),
        ("fhir.resources R4B Bundle.model_validate_json", lambda: Bundle.model_validate_json(data), max(runs // 10, 5)),
    ]
    lines = []
    for label, work, count in works:
        middle, low, high, processor = timed(work, count)
        lines.append(
            f"| {name}: {len(data) / 1e6:.2f} MB, {entries} entries, {parts} parts | {label} | {count} | "
            f"{middle:.1f} | {low:.1f}–{high:.1f} | {processor:.1f} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    raw = options.bundle.read_bytes()
    data = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("fhir.resources", "orjson", "msgspec", "pydantic")
    )
    table = [
        "| bundle | reader | n | median ms | quartiles | CPU ms |",
        "|---|---|---:|---:|---:|---:|",
        *rows("Synthea patient", data, options.runs),
        *rows("all resources repeated", enlarged(data, SIZE), options.runs),
        *rows("observations repeated", enlarged(data, SIZE, "Observation"), options.runs),
    ]
    text = "\n".join(
        [
            "# Reading FHIR",
            "",
            "Made by `python benchmarks/fhir_reading.py BUNDLE.json.gz --out benchmarks/fhir_reading.md` with the",
            "largest Synthea bundle of the public sample data; all readers in one process on the same bytes, after",
            "import.",
            "",
            *table,
            "",
            f"Import: osler.record {import_time('osler.record.fhir, osler.record') * 1e3:.0f} ms, "
            f"fhir.resources Bundle {import_time('fhir.resources.R4B.bundle') * 1e3:.0f} ms "
            "(best of 5, bare start taken off).",
            "",
            f"Versions: {versions}, Python {platform.python_version()},",
            f"{platform.machine()}. A busy 2-core machine: CPU times and their ratios matter, wall times do not.",
            "The Synthea file is indented, the larger bundles are not, so these hold more resources a megabyte.",
            "The aim is about 10 ms for 0.7 MB. No Synthea file of that size is among the sample data: the rows of",
            "0.71 MB are the made bundles, and nothing here is scaled up from a smaller file.",
            "fhir.resources validates every element of every resource; Osler checks the elements it reads and their",
            "required code bindings (which fhir.resources does not), merges duplicates, settles references and the",
            "patient, and reports the rest by path.",
            "",
        ]
    )
    print(text)
    if options.out:
        options.out.write_text(text)


if __name__ == "__main__":
    main()
