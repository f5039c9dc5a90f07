"""Times CDS Hooks calls for Synthea patients against the 500 ms that HL7 asks for, over HTTP on loopback, warm.

Usage: OSLER_MODELS_THREADS=1 python benchmarks/cds_hooks.py FOLDER [--rounds N] [--out benchmarks/cds_hooks.md]
The prefetch is what the templates of discovery find in each bundle; two drugs are ordered. Wall time is the client's,
from the request to the last byte; CPU time is the whole process's, server, ledger and client together.
"""

import argparse
import gzip
import json
import platform
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import uvicorn

from osler import __version__
from osler.server.app import create_app, warm
from osler.settings import load_settings

AIM = 500  # milliseconds
ORDERED = ("Warfarin Sodium 5 MG Oral Tablet", "Ibuprofen 400 MG Oral Tablet")


def prefetched(content: dict[str, Any], templates: dict[str, str]) -> dict[str, Any]:
    """What the templates find in a bundle, null where they find nothing."""
    found: dict[str, Any] = {}
    for key, query in templates.items():
        kind = query.replace("?", "/").split("/")[0]
        entries = [one for one in content["entry"] if one["resource"]["resourceType"] == kind]
        if "status=active" in query:
            entries = [one for one in entries if one["resource"]["status"] == "active"]
        bundle = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
        found[key] = entries[0]["resource"] if kind == "Patient" else bundle if entries else None
    return found


def calls(folder: Path, services: list[dict[str, Any]]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Hook, service and body for each patient."""
    for file in sorted(folder.glob("*.json.gz")):
        content = json.loads(gzip.decompress(file.read_bytes()))
        patient = next(
            one["resource"]["id"] for one in content["entry"] if one["resource"]["resourceType"] == "Patient"
        )
        for service in services:
            context: dict[str, Any] = {"userId": "Practitioner/1", "patientId": patient, "encounterId": "1"}
            orders = [order(f"new-{n}", name, patient) for n, name in enumerate(ORDERED)]
            if service["hook"].startswith("order"):
                context["draftOrders"] = {"resourceType": "Bundle", "entry": [{"resource": one} for one in orders]}
                context["selections"] = ["MedicationRequest/new-0"]
            body = {"hook": service["hook"], "context": context, "prefetch": prefetched(content, service["prefetch"])}
            yield service["hook"], service["id"], body


def order(id: str, name: str, patient: str) -> dict[str, Any]:
    about = {"subject": {"reference": f"Patient/{patient}"}, "medicationCodeableConcept": {"text": name}}
    return {"resourceType": "MedicationRequest", "id": id, "status": "draft", "intent": "order", **about}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        app = create_app(load_settings({"home": home}), "token")
        warm(app)
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", access_log=False))
        threading.Thread(target=server.run, daemon=True).start()
        while not server.started:
            time.sleep(0.05)
        base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        client = httpx.Client(base_url=base, headers={"Authorization": "Bearer token"}, timeout=60, trust_env=False)
        asked = list(calls(given.folder, client.get("/cds-services").json()["services"]))
        rows: dict[str, list[tuple[float, float, int]]] = {}
        sizes: dict[str, list[int]] = {}
        for number in range(given.rounds + 1):  # the first round is not counted
            for hook, id, body in asked:
                content = json.dumps({**body, "hookInstance": str(uuid.uuid4())}).encode()
                wall, cpu = time.perf_counter(), time.process_time()
                told = client.post(f"/cds-services/{id}", content=content, headers={"Content-Type": "application/json"})
                took = (time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000
                told.raise_for_status()
                if number:
                    rows.setdefault(hook, []).append((*took, len(told.json()["cards"])))
                    sizes.setdefault(hook, []).append(len(content))
        server.should_exit = True
    lines = [
        "| hook | calls | kB, median | cards, median | wall ms, median | p95 | worst | CPU ms | p95 | in time |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for hook, took in rows.items():
        wall, cpu, cards = np.array(took).T
        size = np.median(sizes[hook]) / 1000
        lines.append(
            f"| {hook} | {len(took)} | {size:.0f} | {np.median(cards):.0f} | {np.median(wall):.1f} | "
            f"{np.percentile(wall, 95):.1f} | {wall.max():.1f} | {np.median(cpu):.1f} | {np.percentile(cpu, 95):.1f} | "
            f"{np.mean(wall <= AIM):.0%} |"
        )
    versions = f"Osler {__version__}, Python {platform.python_version()}, {platform.machine()}"
    rounds = f"{given.rounds} rounds after one that is not counted"
    lines += ["", f"{versions}; {len(asked) // 4} patients, {rounds}."]
    print("\n".join(lines))
    if given.out:
        given.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
