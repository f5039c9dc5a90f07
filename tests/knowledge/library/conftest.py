"""Libraries made with the stand-in embedder, for this folder's tests."""

from collections.abc import Callable
from pathlib import Path

import pytest
from library_standin import HashedWords

from osler.knowledge.library.library import Library, open_library
from osler.settings import Settings, load_settings


@pytest.fixture
def embedder() -> HashedWords:
    return HashedWords()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"home": str(tmp_path / "home")}, environment={})


@pytest.fixture
def make(settings: Settings, embedder: HashedWords) -> Callable[..., Library]:
    """make(name) -> an empty library with stand-in vectors."""

    def factory(name: str = "test") -> Library:
        return open_library(name, settings, create=True, load_embedder=lambda: embedder)

    return factory
