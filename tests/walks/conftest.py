"""The walks drive the installed program as a user would: a process, a home, files."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from workbench_driver import CHROMIUM, WIDE, Served, Watch, browsing, serving, signed_in

Run = Callable[..., subprocess.CompletedProcess[str]]
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="session")
def walk_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all walks, so that the starter library is unpacked once."""
    return tmp_path_factory.mktemp("walk") / "home"


@pytest.fixture(scope="session")
def osler(walk_home: Path) -> Run:
    """Run `osler ARGUMENTS`; `stdin` feeds standard input, `env` adds variables."""

    def run(*arguments: str, stdin: str | bytes | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        given = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [sys.executable, "-m", "osler", *arguments],
            input=given,
            capture_output=True,
            env={**os.environ, "OSLER_HOME": str(walk_home), **env},
            timeout=240,
            check=False,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture(scope="session")
def osler_json(osler: Run) -> Callable[..., Any]:
    """The one JSON document on standard output of a command that must succeed."""

    def run(*arguments: str, **kwargs: Any) -> Any:
        done = osler(*arguments, **kwargs)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all walks in a browser, with a home of its own: it must have no accounts."""
    if CHROMIUM is None:
        pytest.skip("no chromium is installed: the walks in a browser need one (on Debian the package chromium)")
    with serving(tmp_path_factory.mktemp("workbench") / "home") as made:
        yield made


@pytest.fixture(scope="session")
def signed(served: Served) -> dict[str, Any]:
    """Filled with the cookies of the first browser that follows the printed link, which opens once."""
    return {}


@pytest.fixture(scope="module")
def browser(served: Served, signed: dict[str, Any]) -> Iterator[Browser]:
    """A browser of one module: while it is open no other test could run an event loop in this thread."""
    with browsing() as made:
        if not signed:
            signed |= signed_in(made, served)
        yield made


@pytest.fixture
def watch(browser: Browser, served: Served, signed: dict[str, Any]) -> Iterator[Watch]:
    """A signed-in window of its own; afterwards: nothing was asked of another host and nothing failed in the page."""
    context = browser.new_context(base_url=served.address, storage_state=signed, viewport=WIDE, locale="en-GB")
    context.set_default_timeout(60_000)
    made = Watch(context, served.address)
    yield made
    context.close()
    assert made.asked and not made.elsewhere
    assert not made.errors


@pytest.fixture
def page(watch: Watch) -> Page:
    return watch.page
