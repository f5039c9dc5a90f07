"""Speed of the ledger: appends in batches and one by one, verification, signed heads and proofs.

`.venv/bin/python benchmarks/ledger.py [FOLDER]` prints the table; FOLDER (default: a temporary one) is on the disk
to be measured. Each figure is the median of several rounds with their range, by the clock and by the processor's
time of this process, which other work on the machine disturbs less. The floor is the disk's own: 300 bytes
written to a file and synchronised, without any ledger.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy
from cryptography import __version__ as cryptography

from osler.ledger import Draft, Ledger
from osler.ledger.heads import check
from osler.settings import load_settings

ROUNDS, BATCH, BATCHES, SINGLES, PATIENTS = 7, 1000, 2, 100, 200


def rate(work: Callable[[], int]) -> str:
    """Items a second by the clock and by the processor's time: median (least to most) of the rounds."""
    found = []
    for _ in range(ROUNDS):
        began, used = time.perf_counter(), time.process_time()
        count = work()
        found.append((count / (time.perf_counter() - began), count / (time.process_time() - used)))
    said = (f"{statistics.median(one):,.0f} ({min(one):,.0f} to {max(one):,.0f})" for one in zip(*found, strict=True))
    return " | ".join(said)


def event(number: int) -> dict[str, str]:
    return {
        "who": f"clinician-{number % 40}",
        "purpose": "treatment",
        "patient": "a" * 64,
        "what": "c-20261123-7k2m9qfx",
    }


def main() -> None:
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if sys.argv[1:] else None) as folder:
        ledger = Ledger.open(load_settings({"home": Path(folder) / "home"}, environment={}))

        def batches(own_keys: bool) -> int:
            for _ in range(BATCHES):
                ledger.append_many(
                    [Draft("accessed", event(n), None if own_keys else f"{n % PATIENTS}") for n in range(BATCH)]
                )
            return BATCH * BATCHES

        def singles() -> int:
            for n in range(SINGLES):
                ledger.append("accessed", event(n), f"{n % PATIENTS}")
            return SINGLES

        def floor() -> int:
            with open(Path(folder) / "floor", "ab", buffering=0) as file:
                for _ in range(SINGLES):
                    file.write(b"x" * 300)
                    os.fsync(file.fileno())
            return SINGLES

        rows = [
            (f"appends in batches of {BATCH}, {PATIENTS} patients", f"{BATCH * BATCHES}", rate(lambda: batches(False))),
            (f"appends in batches of {BATCH}, a key for each", f"{BATCH * BATCHES}", rate(lambda: batches(True))),
            ("single durable appends", f"{SINGLES}", rate(singles)),
            ("the disk's own: 300 bytes and fsync", f"{SINGLES}", rate(floor)),
        ]
        size = ledger.verify().entries
        middle = next(entry.id for entry in ledger.entries(None) if entry.seq == size // 2)
        proof = ledger.prove(middle)
        assert check(proof).valid
        assert ledger.verify().broken is None
        rows += [
            ("entries verified", f"{size}", rate(lambda: ledger.verify().entries)),
            (
                "signed heads over all entries",
                f"{size}",
                rate(lambda: ledger.anchor(Path(folder) / "heads").size // size),
            ),
            ("proofs made", f"{size}", rate(lambda: len([ledger.prove(middle)]))),
            ("proofs checked", f"{size}", rate(lambda: len([check(proof) for _ in range(20)]))),
        ]
        print("| what | n | a second | a second of processor time |\n|---|---:|---:|---:|")
        for row in rows:
            print("| " + " | ".join(row) + " |")
        print(f"\nMedian (least to most) of {ROUNDS} rounds.", end=" ")
        print(f"A proof has {len(proof.model_dump_json()):,} bytes, {len(proof.path)} hashes on its path.")
        versions = f"Python {sys.version.split()[0]}, SQLAlchemy {sqlalchemy.__version__}, cryptography {cryptography}"
        print(f"{versions}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
