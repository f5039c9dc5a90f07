"""The real server as a process and a headless Chromium before it, for the walks and for the pictures of the docs."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
BASE = ROOT / "src" / "osler" / "server" / "pages" / "base.html"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# Every page that the head of the workbench leads to: a new one is walked as soon as it is listed there.
PAGES = re.findall(r'\("(/[a-z]+)", _\("', BASE.read_text(encoding="utf-8"))
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
# Violations of the content policy reach the console in words that differ by browser; the event doesn't.
TELL = "addEventListener('securitypolicyviolation', (e) => console.error(`policy: ${e.violatedDirective}`))"


class Served(NamedTuple):
    """`link`: what the server printed; it opens once."""

    address: str
    link: str


@contextmanager
def serving(home: Path, **env: str) -> Iterator[Served]:
    """`osler serve` on a free port, ready to answer."""
    home.mkdir(parents=True, exist_ok=True)
    said = home / "served.txt"
    env = {**os.environ, "OSLER_HOME": str(home), "OSLER_MODELS_THREADS": "1", **env}
    with said.open("w") as log:
        process = subprocess.Popen([sys.executable, "-m", "osler", "serve", "--port", "0"], env=env, stderr=log)
    try:
        until, link = time.monotonic() + 120, None
        while link is None or not httpx.get(f"{link[1]}/healthz").json()["ready"]:
            assert process.poll() is None and time.monotonic() < until, said.read_text()
            time.sleep(0.1)
            link = re.search(r"open ((\S+)/\?token=\S+)", said.read_text())
            link = link and (link[1], link[2])
        yield Served(link[1], link[0])
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def browsing() -> Iterator[Browser]:
    # Chromium's sandbox needs an ordinary user; in a container tests often run as root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


def signed_in(browser: Browser, served: Served) -> dict:
    """The cookies of a browser that followed the printed link."""
    context = browser.new_context()
    context.new_page().goto(served.link)
    state = context.storage_state()
    context.close()
    return state


class Watch:
    """What a browser did that it must not: asked another host, broke the content policy, failed in script."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.address, self.elsewhere, self.errors, self.asked = address, [], [], 0
        context.add_init_script(TELL)
        context.on("request", self._request)
        context.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        context.on("weberror", lambda failed: self.errors.append(str(failed.error)))
        self.page = context.new_page()

    def forgive(self, status: str) -> None:
        """Chromium calls a refused request an error of the page; the walk has seen that it was refused, and why."""
        self.errors = [said for said in self.errors if not re.search(f"(status of|Error Code) {status}", said)]

    def _request(self, request) -> None:
        self.asked += 1
        if not request.url.startswith((f"{self.address}/", "data:", "blob:")):
            self.elsewhere.append(request.url)


def consult(page: Page, note: str) -> str:
    """Paste a note and consult on it; the address of what came."""
    page.goto("/consult")
    page.get_by_label("Note, dialogue or JSON").fill(note)
    page.get_by_role("button", name="Consult", exact=True).click()
    page.wait_for_url(re.compile(r"/consult/\S+$"))
    return page.url


def ask(page: Page, question: str) -> str:
    page.goto("/ask")
    page.get_by_label("Question").fill(question)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/ask/\S+$"))
    return page.url


def report(page: Page, sample: str) -> str:
    """Draft a visit note of a sample case; the address of what came."""
    page.goto("/reports")
    page.get_by_label("Kind of report").select_option("visit-note")
    page.get_by_label("or a sample case").select_option(sample)
    page.get_by_role("button", name="Draft", exact=True).click()
    page.wait_for_url("**/reports/r-*")
    return page.url


def patience(seconds: float) -> float:
    """A limit of a calm machine, longer in proportion where other work has its cores."""
    return seconds * max(1.0, 1.5 * os.getloadavg()[0] / (os.cpu_count() or 1))
