"""The walks drive the installed program as a user would: a process, a home, files."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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
