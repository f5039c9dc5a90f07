"""Many users at once on the real server over loopback: what they wait, and whether anything fails.

    python benchmarks/server_load.py [--users 50] [--seconds 120]

Each user goes on without a pause: three searches, two concept readings, a question, a consult and a page, in an order
of its own. Prints a Markdown table of waiting times by kind of request.
"""

import argparse
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from importlib.metadata import version
from pathlib import Path

import httpx
import numpy as np

NOTE = (Path(__file__).parents[1] / "examples" / "arterial-rupture.txt").read_text(encoding="utf-8")
TOKEN = "for-the-benchmark"
ASKED = ("What causes scurvy?", "How is asthma treated?", "What is sickle cell disease?", "坏血病的病因是什么？")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        port = free_port()
        environment = {**os.environ, "OSLER_HOME": home, "OSLER_TOKEN": TOKEN}
        command = [sys.executable, "-m", "osler", "serve", "--port", str(port)]
        log = Path(home) / "served.txt"
        with log.open("w") as told:
            server = subprocess.Popen(command, env=environment, stderr=told)
        try:
            address = f"http://127.0.0.1:{port}"
            wait_ready(address)
            waits, codes, failed = run(address, given.users, given.seconds)
        finally:
            server.terminate()
            server.wait(20)
        said = log.read_text(encoding="utf-8").splitlines()[3:]  # after its address: what went wrong
    total = sum(codes.values())
    print(f"{given.users} users, {given.seconds:.0f} s, osler {version('osler')}, {os.cpu_count()} cores, ", end="")
    print(f"load {os.getloadavg()[0]:.1f} at the end\n")
    print("| request | n | median, ms | 95th, ms | longest, ms |\n|---|---|---|---|---|")
    for name, values in sorted(waits.items()):
        p50, p95, worst = (1000 * float(x) for x in np.percentile(values, [50, 95, 100]))
        print(f"| {name} | {len(values)} | {p50:.0f} | {p95:.0f} | {worst:.0f} |")
    print(f"\n{total} requests, {total / given.seconds:.1f} a second; by status: {dict(sorted(codes.items()))}")
    for failure, times in failed.most_common():
        print(f"- failed {times}×: {failure}")
    print("\n".join(said[-40:]), file=sys.stderr)


def run(address: str, users: int, seconds: float) -> tuple[dict[str, list[float]], Counter[int], Counter[str]]:
    """Waiting times in seconds by kind of request, how many ended in which status (0: none), what failures said."""
    waits: dict[str, list[float]] = defaultdict(list)
    codes: Counter[int] = Counter()
    failed: Counter[str] = Counter()
    lock, end = threading.Lock(), time.monotonic() + seconds

    def user(number: int) -> None:
        luck = random.Random(number)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=address, headers=headers, timeout=120) as client:
            while time.monotonic() < end:
                does = ["search"] * 3 + ["concepts"] * 2 + ["answer", "consult", "page"]
                luck.shuffle(does)
                for name in does:
                    began = time.monotonic()
                    if began > end:
                        return
                    try:
                        answered = ask(client, name, luck)
                        status, said = answered.status_code, answered.text[:300]
                    except httpx.HTTPError as error:
                        status, said = 0, repr(error)
                    with lock:
                        waits[name].append(time.monotonic() - began)
                        codes[status] += 1
                        failed[f"{name}, {status}: {said}"] += not 200 <= status < 300

    threads = [threading.Thread(target=user, args=(number,)) for number in range(users)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waits, codes, +failed


def ask(client: httpx.Client, name: str, luck: random.Random) -> httpx.Response:
    if name == "search":
        return client.get("/api/v1/search", params={"q": luck.choice(ASKED)})
    if name == "concepts":
        return client.post("/api/v1/concepts", json={"text": NOTE})
    if name == "answer":
        return client.post("/api/v1/answers", json={"question": luck.choice(ASKED)})
    if name == "consult":
        return client.post("/api/v1/consults", json={"text": f"{NOTE}\nRun {luck.random()}"})
    return client.get("/sign-in")


def wait_ready(address: str) -> None:
    for _ in range(600):
        try:
            if httpx.get(f"{address}/healthz").json()["ready"]:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise SystemExit("the server did not start")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


if __name__ == "__main__":
    main()
