"""What a method may draw on, loaded when first needed, and the recorder that notes each use for the ledger.

It does not know how an answer is made; a method gets a `Run` and asks it for passages, edges and text.
"""

import copy
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from datetime import date
from functools import cached_property
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from osler import __version__
from osler.ledger import digest, new_id
from osler.ledger.chain import now
from osler.nouns import Evidence, GraphCall, ModelCall, ModelReference, SearchCall, Trace
from osler.settings import Settings

if TYPE_CHECKING:
    from osler.knowledge.concepts.recogniser import Recogniser
    from osler.knowledge.graph import Graph
    from osler.knowledge.library import Library
    from osler.models import Generation, LanguageModel, Request, ScoreRequest
    from osler.models.embedder import Embedder


# Sections of the settings that an answer depends on; a replay puts them back.
REPLAYED = ("models", "library", "consult", "safety")


class Resources:
    """Graph, library, recogniser, embedder and model of one home. Each is loaded on first use and kept."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def graph(self) -> "Graph":
        from osler.knowledge.graph import load_graph

        return load_graph()

    @cached_property
    def library(self) -> "Library":
        return self.open_library()

    def open_library(self, progress: Callable[[int, int], None] | None = None) -> "Library":
        """The default library, opened now; `progress(done, total)` hears of the unpacking on first use."""
        from osler.knowledge.library import open_library

        self.__dict__["library"] = found = open_library(self.settings.library.default, self.settings, progress=progress)
        return found

    @cached_property
    def guidelines(self) -> "list[Library]":
        """The approved guidelines, each a library."""
        from osler.knowledge.library.guidelines import guidelines_in_force

        return guidelines_in_force(self.settings)

    @cached_property
    def recogniser(self) -> "Recogniser":
        from osler.knowledge.concepts.recogniser import load_recogniser

        return load_recogniser()

    @cached_property
    def embedder(self) -> "Embedder":
        from osler.models.embedder import configured_embedder

        return configured_embedder(self.settings)

    @cached_property
    def model(self) -> "LanguageModel":
        from osler.models import language_model, load_model

        return load_model(language_model(self.settings), self.settings)

    def current(self) -> "Resources":
        """These, or with another model where another adapter serves by now: an answer keeps the one it began with."""
        from osler.models import language_model

        held = self.__dict__.get("model")
        if held is None or self.settings.models.language or not held.info.spec.startswith(("adapter:", "smollm2")):
            return self
        if held.info.spec == language_model(self.settings):
            return self
        found = copy.copy(self)
        del found.__dict__["model"]
        return found


class Run:
    """One answer in the making: uses the resources and records every use, enough to replay it."""

    def __init__(self, resources: Resources, kind: str) -> None:
        self.resources = resources.current()
        self.settings = resources.settings
        self.id = new_id(kind[0])
        self.evidence: dict[str, Evidence] = {}
        self.kind = kind
        self._started, self._clock = now(), time.perf_counter()
        self._calls: list[ModelCall] = []
        self._searches: list[SearchCall] = []
        self._graph: list[GraphCall] = []

    def search(self, query: str, k: int, **filters: Any) -> list[Evidence]:
        """Passages of the default library, best first, with those of approved guidelines set between them."""
        from osler.knowledge.library import Filters
        from osler.knowledge.library.guidelines import holds

        wanted = Filters(**filters) if filters else None
        lists = []
        for library in (*self.resources.guidelines, self.resources.library):
            found = library.search(query, k=k, filters=wanted)
            passages = [(item.id, _hash(item.text)) for item in found]
            call = {"library": library.name, "version": library.version, "query": query, "k": k, "filters": filters}
            self._searches.append(SearchCall(**call, passages=passages))
            own = library is self.resources.library
            lists.append([item for item in found if own or holds(item, date.fromisoformat(self._started[:10]))])
        ranked = [item for rank in zip_longest(*lists) for item in rank if item is not None]
        return list({item.id: item for item in ranked}.values())

    def generate(self, requests: "Sequence[Request]") -> "list[Generation]":
        """Texts of the language model, each recorded with its prompt and parameters."""
        generations = self.resources.model.generate(requests)
        for request, made in zip(requests, generations, strict=True):
            self._record(made.prompt, request.parameters(), made.text, made.tokens, self.resources.model.info.local)
        return generations

    def score(self, requests: "Sequence[ScoreRequest]") -> list[dict[str, float]]:
        """Log-probabilities of labels, each recorded; making the whole answer again repeats them."""
        scored = self.resources.model.score(requests)
        for request, scores in zip(requests, scored, strict=True):
            prompt = "\n\n".join(f"{message.role}: {message.content}" for message in request.messages)
            self._record(prompt, {"labels": request.labels}, json.dumps(scores), None, replayable=False)
        return scored

    @property
    def asked(self) -> bool:
        """Whether a language model was asked so far."""
        return bool(self._calls)

    def _record(
        self, prompt: str, parameters: dict[str, Any], output: str, tokens: list[int] | None, replayable: bool
    ) -> None:
        info = self.resources.model.info
        model = ModelReference(spec=info.spec, digest=info.digest)
        self._calls.append(
            ModelCall(
                model=model,
                prompt=prompt,
                parameters=parameters,
                output=output,
                output_tokens=tokens,
                replayable=replayable,
            )
        )

    def note(self, operation: str, arguments: dict[str, Any], result: Any) -> None:
        """Record a question to the graph or ranker and a hash of its answer (`result`: a JSON value)."""
        self._graph.append(GraphCall(operation=operation, arguments=arguments, result_hash=digest(result)))

    def cite(self, evidence: Evidence) -> str:
        """Make evidence citable in this answer; its id."""
        self.evidence.setdefault(evidence.id, evidence)
        return evidence.id

    def knowledge(self) -> dict[str, str]:
        """Versions of the knowledge that any answer draws on."""
        libraries = (self.resources.library, *self.resources.guidelines)
        return {**self.resources.graph.versions, **{f"library:{item.name}": item.version for item in libraries}}

    def trace(self, method: str) -> Trace:
        """All that stands behind the answer so far."""
        return Trace(
            id=self.id,
            kind=self.kind,
            started=self._started,
            seconds=round(time.perf_counter() - self._clock, 3),
            method=method,
            parameters=self.settings.model_dump(mode="json", include=set(REPLAYED)),
            knowledge=self.knowledge(),
            calls=self._calls,
            searches=self._searches,
            graph=self._graph,
            evidence={id: _hash(item.text) for id, item in self.evidence.items()},
            versions={"osler": __version__},
        )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
