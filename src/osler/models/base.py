"""What every language model offers, whatever runs it: generate, stream and score, batch first.

It knows messages and parameters. It does not know where a model runs, or what its answers are for.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, NamedTuple, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from osler.errors import OslerError


class Busy(OslerError):
    """The queue before a model is full: nothing was started, ask again later (a server answers 503)."""

    kind = "busy"
    exit_code = 3
    retry_after = 5  # seconds


class ModelInfo(NamedTuple):
    """What identifies a model. Privileges and replay go by `digest`.

    `digest`: sha256 of the weights (with an adapter: of both digests); of URL and name for an endpoint, whose
    weights can't be seen. `context`: tokens of prompt and answer together. `local`: its answers can be replayed.
    """

    spec: str
    digest: str
    context: int
    chat: bool
    licence: str | None
    local: bool


class Message(NamedTuple):
    role: Literal["system", "user", "assistant"]
    content: str


class Request(BaseModel):
    """One generation. Temperature 0 is greedy. At most one of `json_schema` and `grammar` (GBNF)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    messages: Annotated[list[Message], Field(min_length=1)]
    max_tokens: Annotated[int, Field(ge=1)]
    temperature: Annotated[float, Field(ge=0)] = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    seed: Annotated[int, Field(ge=0, lt=2**32 - 1)] = 0
    stop: list[str] = []
    images: Annotated[list[str], Field(repr=False)] = []  # PNG in base64, shown with the last message
    json_schema: dict[str, Any] | None = None
    grammar: str | None = None

    @model_validator(mode="after")
    def _one_constraint(self) -> Self:
        if self.json_schema is not None and self.grammar is not None:
            raise ValueError("a request has a JSON schema or a grammar, not both")
        return self

    def parameters(self) -> dict[str, Any]:
        """Everything but what is shown, ready for JSON: what the ledger keeps and `replay` takes.

        The schema is kept as text: canonical JSON sorts keys, and their order decides what a model writes first.
        """
        kept = self.model_dump(mode="json", exclude={"messages", "images"})
        return kept if self.json_schema is None else {**kept, "json_schema": json.dumps(self.json_schema)}

    @field_validator("json_schema", mode="before")
    @classmethod
    def _read_schema(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value


class ScoreRequest(NamedTuple):
    """Which of `labels` (each one token of the model, as A, B, C or yes, no) follows the messages?"""

    messages: list[Message]
    labels: list[str]


class Generation(NamedTuple):
    """`prompt`: the text after the chat template; `tokens`: what was generated, None if the model won't tell."""

    text: str
    tokens: list[int] | None
    prompt: str
    prompt_tokens: int
    finish: Literal["stop", "length"]
    seconds: float


class LanguageModel(Protocol):
    """A backend makes the batch fast; a batch gives each request what it would get alone."""

    @property
    def info(self) -> ModelInfo: ...

    def generate(self, requests: Sequence[Request]) -> list[Generation]: ...

    def stream(self, request: Request) -> Iterator[str]: ...

    def count(self, text: str) -> int:
        """Tokens of a text, by the model's own tokenizer where it can be asked, else an upper estimate."""
        ...

    def score(self, requests: Sequence[ScoreRequest]) -> list[dict[str, float]]:
        """Natural log-probability of each label as the next token, a leading space before it allowed."""
        ...
