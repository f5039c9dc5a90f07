"""Times FHIR reading: Osler's reader beside bare JSON decoding and fhir.resources, in one process on the same bytes.

Usage: python benchmarks/fhir_reading.py BUNDLE.json.gz [--rounds N] [--out benchmarks/fhir_reading.md]
Larger bundles are made from it: its resources, or its observations only, repeated under new ids and days until there is
0.71 MB. One is indented as Synthea writes; two hold no white space, and so more resources a megabyte.
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
OSLER = "osler.record.read (checked, merged, a Case)"


def enlarged(bundle: bytes, size: int, only: str | None = None, indented: bool = False) -> bytes:
    """The bundle with its resources (of one type only) repeated, each copy with its own address, id and day so that
    none is merged. The patient is never repeated."""

    def written(one: Any) -> bytes:
        return json.dumps(one, indent=2).encode() if indented else orjson.dumps(one)

    content = json.loads(bundle)
    repeated = [
        one for one in content["entry"] if one["resource"]["resourceType"] in ([only] if only else _kinds(content))
    ]
    total, copies = len(written(content)), 0
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
        total += len(written([[entry]])) if indented else len(written(entry)) + 1
        copies += 1
    return written(content)


def _kinds(content: dict[str, Any]) -> set[str]:
    return {one["resource"]["resourceType"] for one in content["entry"]} - {"Patient"}


def timed(works: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """(wall, CPU) milliseconds of each work in each round, after two rounds unmeasured. Every round does all the works
    in turn, so that what else the machine does falls on all of them."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for number in range(rounds + 2):
        for name, work in works.items():
            cpu, start = time.process_time(), time.perf_counter()
            work()
            if number >= 2:
                times[name].append(((time.perf_counter() - start) * 1e3, (time.process_time() - cpu) * 1e3))
    return times


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


def rows(name: str, data: bytes, rounds: int) -> list[str]:
    from fhir.resources.R4B.bundle import Bundle

    case = read(data)
    parts = sum(len(getattr(case, kind)) for kind in ("observations", "conditions", "medications", "procedures"))
    times = timed(
        {
            "orjson.loads (no types)": lambda: orjson.loads(data),
            "msgspec.json.decode (no types)": lambda: msgspec.json.decode(data),
            OSLER: lambda: read(data),
            "fhir.resources R4B Bundle.model_validate_json": lambda: Bundle.model_validate_json(data),
        },
        rounds,
    )
    lines = []
    title = f"{name}: {len(data) / 1e6:.2f} MB, {len(json.loads(data)['entry'])} entries, {parts} parts"
    for reader, taken in times.items():
        low, middle, high = statistics.quantiles([cpu for _, cpu in taken], n=4)
        ratios = [other[1] / own[1] for own, other in zip(times[OSLER], taken, strict=True)]
        lines.append(
            f"| {title} | {reader} | {statistics.median(wall for wall, _ in taken):.1f} | {middle:.1f} | "
            f"{low:.1f}–{high:.1f} | {min(cpu for _, cpu in taken):.1f} | {statistics.median(ratios):.2f} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    raw = options.bundle.read_bytes()
    data = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("fhir.resources", "orjson", "msgspec", "pydantic")
    )
    bundles = {
        "Synthea patient": data,
        "all resources repeated, indented": enlarged(data, SIZE, indented=True),
        "all resources repeated": enlarged(data, SIZE),
        "observations repeated": enlarged(data, SIZE, "Observation"),
    }
    table = [line for name, bundle in bundles.items() for line in rows(name, bundle, options.rounds)]
    text = f"""# Reading FHIR

Made by `python benchmarks/fhir_reading.py BUNDLE.json.gz --out benchmarks/fhir_reading.md` with the largest Synthea
bundle of the public sample data; all readers in one process on the same bytes, after import, in turn in each of
{options.rounds} rounds. Medians; the last column is the median over rounds of the reader's CPU time divided by Osler's.

| bundle | reader | wall ms | CPU ms | quartiles | least | to Osler |
|---|---|---:|---:|---:|---:|---:|
{chr(10).join(table)}

Import: osler.record {import_time("osler.record.fhir, osler.record") * 1e3:.0f} ms, fhir.resources Bundle \
{import_time("fhir.resources.R4B.bundle") * 1e3:.0f} ms (best of 5, bare start taken off).

Versions: {versions}, Python {platform.python_version()}, {platform.machine()}. A busy 2-core machine: CPU times and
their ratios matter, wall times do not; the least is what the work takes when nothing disturbs it.

The aim is about 10 ms for 0.7 MB. No Synthea file of that size is among the sample data: the rows of 0.71 MB are made
bundles, the first of them indented as Synthea writes, and nothing here is scaled up from a smaller file.
fhir.resources validates every element of every resource; Osler checks the elements it reads and their required code
bindings (which fhir.resources does not), merges duplicates, settles references and the patient, and reports the rest
by path.
"""
    print(text)
    if options.out:
        options.out.write_text(text)


if __name__ == "__main__":
    main()
