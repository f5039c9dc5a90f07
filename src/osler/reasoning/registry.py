"""What a question is and which methods can answer one: a method is one function in one file of `methods/`.

It does not know what any method does.
"""

import functools
import importlib
import pkgutil
from collections.abc import Callable
from typing import NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, model_validator

from osler.errors import InputError
from osler.nouns import Answer
from osler.reasoning.resources import Run


class Question(BaseModel):
    """`options`: key -> text for multiple choice. `context`: a text to answer from instead of the library.

    `method` stands here so that the ledger's record of the question is enough to ask it again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    options: dict[str, str] | None = None
    context: str | None = None
    id: str | None = None
    method: str | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> "Question":
        if not self.text.strip():
            raise ValueError("the question is empty")
        return self


class Method(Protocol):
    """A question with its resources in, a checked answer out. Evidence is cited through `run.cite`."""

    def __call__(self, question: Question, run: Run) -> Answer: ...


class MethodInfo(NamedTuple):
    """`paper`: where the method comes from. `calls`: model calls an answer costs, in words."""

    name: str
    paper: str
    calls: str
    function: Method


_METHODS: dict[str, MethodInfo] = {}


def method(name: str, paper: str, calls: str = "none") -> Callable[[Method], Method]:
    """Register a method under `name`."""

    def register(function: Method) -> Method:
        _METHODS[name] = MethodInfo(name, paper, calls, function)
        return function

    return register


@functools.cache
def methods() -> dict[str, MethodInfo]:
    """All methods by name, each file of `methods/` imported once."""
    package = importlib.import_module("osler.reasoning.methods")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return dict(sorted(_METHODS.items()))


def find_method(name: str) -> MethodInfo:
    """The method of a name. Raises InputError naming the known ones."""
    known = methods()
    if name not in known:
        raise InputError(f"unknown method {name!r}", hint=f"Known: {', '.join(known)}.")
    return known[name]
