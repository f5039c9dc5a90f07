"""A home, and the folder of DICOM files."""

from pathlib import Path

import pytest

from osler.settings import Settings, load_settings


@pytest.fixture
def settings(home: Path) -> Settings:
    return load_settings({})


@pytest.fixture(scope="session")
def dicom(shared: Path) -> Path:
    return shared / "images" / "dicom"
