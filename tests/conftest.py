"""Shared fixtures: the public data sets beside the checkout, and a home of its own for every test."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of the public data sets; tests that need it are skipped where it isn't there."""
    if not SHARED.is_dir():
        pytest.skip("the public data sets are not beside this checkout")
    return SHARED


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty OSLER_HOME."""
    folder = tmp_path / "home"
    monkeypatch.setenv("OSLER_HOME", str(folder))
    return folder
