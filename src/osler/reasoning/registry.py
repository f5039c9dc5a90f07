"""What a question is, what a method makes of it, and which methods there are: one function in one file of `methods/`.

It does not know what any method does, nor whether what it drafts holds: `osler.reasoning.checking` sees to that.
"""

import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, model_validator

from osler.errors import InputError
from osler.nouns import Abstention, Evidence
from osler.reasoning.resources import Run

EARLIER = {"generative": "retrieve-then-read"}  # names in entries of older ledgers


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


class Claim(NamedTuple):
    """A sentence of a draft and the evidence it cites; what cites none is looked up before it is shown."""

    text: str
    evidence: Sequence[Evidence] = ()


class Draft(NamedTuple):
    """What a method came to, unchecked. `votes`: share of each option (of votes or of probability), empty where it
    chose none. `read`: what the model was shown. `confidence`, `plausible`: only where calibrated. `next_question`:
    what to ask or examine before deciding."""

    claims: Sequence[Claim] = ()
    votes: Mapping[str, float] = {}
    read: Sequence[Evidence] = ()
    abstained: Abstention | None = None
    confidence: float | None = None
    plausible: Sequence[str] | None = None
    next_question: str | None = None


class Method(Protocol):
    def __call__(self, question: Question, run: Run) -> Draft: ...


class MethodInfo(NamedTuple):
    """`paper`: where the method comes from. `calls`: model calls an answer costs, in words. `writes`: it shows what a
    model wrote, not only which option it holds for likely."""

    name: str
    paper: str
    calls: str
    writes: bool
    function: Method

    @property
    def about(self) -> str:
        return (self.function.__doc__ or "").split("\n")[0]


_METHODS: dict[str, MethodInfo] = {}


def method(name: str, paper: str, calls: str = "none", writes: bool = True) -> Callable[[Method], Method]:
    """Register a method under `name`."""

    def register(function: Method) -> Method:
        _METHODS[name] = MethodInfo(name, paper, calls, writes and calls != "none", function)
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
    name = EARLIER.get(name, name)
    if name not in known:
        raise InputError(f"unknown method {name!r}", hint=f"Known: {', '.join(known)}.")
    return known[name]
