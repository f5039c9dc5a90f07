"""The workbench in Chinese: every message translated, with the same places in it, and compiled as it is written."""

import importlib.util
import io
import re
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Message
from babel.messages.mofile import read_mo

ROOT = Path(__file__).parents[2]
PLACE = re.compile(r"%\(\w+\)[sd]|%[sd]")


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_messages", ROOT / "scripts" / "build_messages.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MADE = script()


@pytest.fixture(scope="module")
def said() -> list[Message]:
    return [message for message in MADE.translation("zh") if message.id]


def forms(value: object) -> list[str]:
    return [str(form) for form in value] if isinstance(value, list | tuple) else [str(value)]


def test_every_message_of_the_pages_is_in_the_catalogue_and_no_other(said: list[Message]) -> None:
    known = {(tuple(forms(message.id)), message.context) for message in said}
    wanted = {(tuple(forms(message.id)), message.context) for message in MADE.messages() if message.id}
    assert known == wanted, "run scripts/build_messages.py"


def test_every_message_has_a_translation_with_the_same_places(said: list[Message]) -> None:
    for message in said:
        assert not message.fuzzy
        for form in forms(message.string):
            assert form, f"no translation of {message.id!r}"
            assert sorted(set(PLACE.findall(form))) == sorted(set(PLACE.findall(forms(message.id)[-1]))), message.id


def test_what_is_compiled_is_what_is_written(said: list[Message]) -> None:
    compiled = read_mo(io.BytesIO(MADE.file_of("zh").with_suffix(".mo").read_bytes()))
    assert {forms(m.id)[0]: forms(m.string) for m in compiled if m.id} == {
        forms(m.id)[0]: forms(m.string) for m in said
    }
