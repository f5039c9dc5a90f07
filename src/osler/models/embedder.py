"""Text to vectors: the shipped e5-small in process, or an OpenAI-compatible embeddings endpoint.

It knows weights, tokens and batches. It does not know what is embedded, where vectors are kept, or whether a
text may leave the machine: the egress gate that is handed in decides that.
"""

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from osler.errors import (
    EgressBlocked,
    EndpointError,
    InputError,
    IntegrityError,
    MissingComponent,
    UsageError,
)
from osler.settings import Settings

if TYPE_CHECKING:
    import httpx
    import onnxruntime  # type: ignore[import-untyped]
    from tokenizers import Tokenizer

Vectors = npt.NDArray[np.float32]
Gate = Callable[[str, list[str]], list[str]]
"""(endpoint URL, texts) -> the texts that may be sent, in order; raises EgressBlocked when none may."""

SHIPPED = Path(__file__).parent / "weights" / "e5-small"
E5_PREFIXES = ("query: ", "passage: ")  # the model was trained with these
TOKENISED_AT_ONCE = 1024  # texts; bounds what waits between tokenizer and model
RETRIED = frozenset({408, 429, 500, 502, 503, 504})
LONGEST_PAUSE = 30.0  # seconds, whatever a server's Retry-After says


class EmbedderInfo(NamedTuple):
    """What identifies an embedder: two indexes are comparable when their digests are equal."""

    spec: str
    digest: str  # sha256; of the files in process, of URL and name for an endpoint (its weights can't be seen)
    dimension: int
    max_tokens: int | None  # longer texts are cut; None: the endpoint decides


class Embedder(Protocol):
    """Queries and passages go in apart because models are trained on the difference."""

    @property
    def info(self) -> EmbedderInfo: ...
    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """float32 (texts, dimension), each row of unit length."""

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """float32 (texts, dimension), each row of unit length."""


@cache
def configured_embedder(settings: Settings) -> Embedder:
    """The embedder that the settings name, behind the egress gate; loaded once a process and settings."""
    from osler.privacy.egress import Gate as EgressGate

    models = settings.models
    return load_embedder(
        models.embedder,
        threads=models.threads,
        gate=EgressGate(settings.egress),
        api_key=os.environ.get(models.api_key_variable),
        timeout=models.timeout,
    )


def load_embedder(
    spec: str = "e5-small",
    *,
    threads: int = 0,
    gate: Gate | None = None,
    api_key: str | None = None,
    timeout: float = 120.0,
) -> Embedder:
    """The embedder of a spec: `e5-small` (shipped) or `openai:URL#NAME`.

    `threads` 0 means as many as the process may use. UsageError for an unknown spec; EgressBlocked for an
    endpoint without a gate.
    """
    if spec == "e5-small":
        return OnnxEmbedder(threads=threads)
    kind, _, rest = spec.partition(":")
    url, _, name = rest.partition("#")
    if kind != "openai" or not name or not url.startswith(("http://", "https://")):
        raise UsageError(f"unknown embedder {spec!r}", hint="Use e5-small or openai:URL#NAME.")
    if gate is None:
        raise EgressBlocked("an embeddings endpoint needs an egress gate", where=url, hint="Nothing was sent.")
    prefixes = E5_PREFIXES if "e5" in name.lower() else ("", "")
    return EndpointEmbedder(url, name, gate, api_key=api_key, timeout=timeout, prefixes=prefixes)


def _checked(texts: Sequence[str]) -> list[str]:
    """The texts without outer white space; a single string would otherwise be embedded letter by letter."""
    if isinstance(texts, str):
        raise UsageError("a list of texts was expected, not one string")
    for i, text in enumerate(texts):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InputError("the text holds half a surrogate pair", where=f"text {i}") from error
    return [text.strip() for text in texts]


class OnnxEmbedder:
    """multilingual-e5-small on the CPU through onnxruntime; weights are checked and loaded at the first text.

    Each text is run alone, one thread a text: there is no padding to pay for, and a vector depends on its own
    text only (int8 activations share one scale a run). Texts over 512 tokens are cut. Threads may share it.
    Source: Wang et al. 2024, Multilingual E5 Text Embeddings; how it was built: scripts/build_embedder.py.
    """

    def __init__(self, folder: Path = SHIPPED, threads: int = 0) -> None:
        self._folder = folder
        self._threads = threads or os.cpu_count() or 1
        self._loading = threading.Lock()
        self._loaded: tuple[Tokenizer, onnxruntime.InferenceSession] | None = None

    @cached_property
    def _manifest(self) -> dict[str, Any]:
        path = self._folder / "manifest.json"
        try:
            manifest: dict[str, Any] = json.loads(path.read_bytes())
        except FileNotFoundError as error:
            raise MissingComponent("the embedder is not installed", where=str(path)) from error
        except ValueError as error:
            raise IntegrityError(f"the manifest can't be read: {error}", where=str(path)) from error
        return manifest

    @property
    def info(self) -> EmbedderInfo:
        manifest = self._manifest
        digest = hashlib.sha256("".join(manifest["files"].values()).encode()).hexdigest()
        return EmbedderInfo("e5-small", digest, manifest["dimension"], manifest["max_tokens"])

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """float32 (texts, 384), unit length."""
        return self._embed(E5_PREFIXES[0], texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """float32 (texts, 384), unit length."""
        return self._embed(E5_PREFIXES[1], texts)

    def _embed(self, prefix: str, texts: Sequence[str]) -> Vectors:
        inputs = [prefix + text for text in _checked(texts)]
        vectors = np.empty((len(inputs), self._manifest["dimension"]), np.float32)
        if not inputs:
            return vectors
        tokenizer, session = self._load()

        def run(item: tuple[int, list[int]]) -> None:
            row, ids = item
            vectors[row] = session.run(None, {"input_ids": np.array([ids], np.int64)})[0][0]

        with ThreadPoolExecutor(min(self._threads, len(inputs))) as pool:
            for start in range(0, len(inputs), TOKENISED_AT_ONCE):
                encoded = tokenizer.encode_batch(inputs[start : start + TOKENISED_AT_ONCE])
                items = [(start + i, encoding.ids) for i, encoding in enumerate(encoded)]
                items.sort(key=lambda item: len(item[1]), reverse=True)  # no thread is left with a long last one
                list(pool.map(run, items))
        return vectors

    def _load(self) -> "tuple[Tokenizer, onnxruntime.InferenceSession]":
        with self._loading:
            if self._loaded is None:
                import onnxruntime
                from tokenizers import Tokenizer

                options = onnxruntime.SessionOptions()
                options.intra_op_num_threads = options.inter_op_num_threads = 1
                options.enable_mem_pattern = False  # lengths differ from run to run
                options.log_severity_level = 3
                session = onnxruntime.InferenceSession(
                    self._read("model.onnx"), options, providers=["CPUExecutionProvider"]
                )
                self._loaded = Tokenizer.from_buffer(self._read("tokenizer.json")), session
            return self._loaded

    def _read(self, name: str) -> bytes:
        """A file's bytes after comparison with the manifest: what was checked is what is loaded."""
        path = self._folder / name
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise MissingComponent("a file of the embedder is missing", where=str(path)) from error
        if hashlib.sha256(content).hexdigest() != self._manifest["files"].get(name):
            raise IntegrityError("the file differs from its manifest", where=str(path), hint="Reinstall osler.")
        return content


class EndpointEmbedder:
    """An OpenAI-compatible `POST /v1/embeddings` (vLLM, Ollama, llama-server, a hospital gateway).

    Every text passes `gate` before a byte is sent. 429, 5xx and broken connections are retried with growing
    pauses; then, or when the answer makes no sense, EndpointError.
    """

    def __init__(
        self,
        url: str,
        name: str,
        gate: Gate,
        *,
        api_key: str | None = None,
        timeout: float = 120.0,
        prefixes: tuple[str, str] = ("", ""),
        batch: int = 64,
        attempts: int = 5,
        pause: float = 0.5,
    ) -> None:
        base = url.rstrip("/")
        self._url = f"{base}/embeddings" if base.endswith("/v1") else f"{base}/v1/embeddings"
        self._spec, self._name, self._gate, self._prefixes = f"openai:{url}#{name}", name, gate, prefixes
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._timeout, self._batch, self._attempts, self._pause = timeout, batch, attempts, pause
        self._dimension: int | None = None

    @property
    def info(self) -> EmbedderInfo:
        """Asks the endpoint for one vector if none came back yet: only it knows the dimension."""
        if self._dimension is None:
            self._embed("", ["dimension"])
        assert self._dimension is not None
        return EmbedderInfo(self._spec, hashlib.sha256(self._spec.encode()).hexdigest(), self._dimension, None)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """float32 (texts, dimension), unit length; EgressBlocked or EndpointError."""
        return self._embed(self._prefixes[0], texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """float32 (texts, dimension), unit length; EgressBlocked or EndpointError."""
        return self._embed(self._prefixes[1], texts)

    def _embed(self, prefix: str, texts: Sequence[str]) -> Vectors:
        import httpx

        checked = _checked(texts)
        if not checked:
            return np.empty((0, self.info.dimension), np.float32)
        allowed = self._gate(self._url, checked)
        if len(allowed) != len(checked):
            raise EgressBlocked("the egress gate withheld some texts", where=self._url, hint="Nothing was sent.")
        inputs = [prefix + text for text in allowed]
        with httpx.Client(timeout=self._timeout, headers=self._headers) as client:
            starts = range(0, len(inputs), self._batch)
            vectors = np.concatenate([self._ask(client, inputs[i : i + self._batch]) for i in starts])
        if self._dimension not in (None, vectors.shape[1]):
            raise EndpointError(f"vectors changed from {self._dimension} to {vectors.shape[1]} dimensions", self._url)
        self._dimension = vectors.shape[1]
        return vectors

    def _ask(self, client: "httpx.Client", inputs: list[str]) -> Vectors:
        import httpx

        problem = ""
        for attempt in range(self._attempts):
            wait = self._pause * 2**attempt
            try:
                answer = client.post(self._url, json={"model": self._name, "input": inputs})
            except httpx.TransportError as error:
                problem = f"no answer ({type(error).__name__}: {error})"
            except (httpx.InvalidURL, httpx.RequestError) as error:
                raise EndpointError(f"the request failed: {error}", where=self._url) from error
            else:
                if answer.is_success:
                    return self._vectors(answer, len(inputs))
                problem = f"status {answer.status_code}: {answer.text[:200]}"
                if answer.status_code not in RETRIED:
                    break
                asked = answer.headers.get("Retry-After", "")
                wait = max(wait, float(asked)) if asked.isdecimal() else wait
            if attempt + 1 < self._attempts:
                time.sleep(min(wait, LONGEST_PAUSE))
        raise EndpointError(f"the embeddings endpoint failed: {problem}", where=self._url)

    def _vectors(self, answer: "httpx.Response", n: int) -> Vectors:
        """Unit rows from the answer's `data`, by `index`; anything odd in them is an error, never a guess."""
        try:
            data = sorted(answer.json()["data"], key=lambda row: row["index"])
            indices = [row["index"] for row in data]
            vectors = np.array([row["embedding"] for row in data], np.float32)
        except (ValueError, KeyError, TypeError) as error:
            raise EndpointError(f"the answer is not an embeddings list: {error}", where=self._url) from error
        lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
        if vectors.ndim != 2 or indices != list(range(n)) or not np.isfinite(lengths).all() or not lengths.all():
            raise EndpointError(f"the answer does not hold {n} finite vectors", where=self._url)
        unit: Vectors = vectors / lengths
        return unit
