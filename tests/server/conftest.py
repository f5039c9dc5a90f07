"""One application for the whole room: loading the knowledge takes longer than any of its tests."""

import pytest
from starlette.testclient import TestClient

from osler.server.app import create_app, warm
from osler.settings import load_settings

TOKEN = "a-token-for-tests"


@pytest.fixture(scope="session")
def app(tmp_path_factory):
    made = create_app(load_settings({"home": str(tmp_path_factory.mktemp("served"))}), TOKEN)
    warm(made)
    return made


@pytest.fixture
def client(app):
    """A program with the token; `http://127.0.0.1` is a name the server answers to."""
    with TestClient(app, base_url="http://127.0.0.1", headers={"Authorization": f"Bearer {TOKEN}"}) as made:
        yield made


@pytest.fixture
def stranger(app):
    with TestClient(app, base_url="http://127.0.0.1") as made:
        yield made
