"""The OpenAI-compatible door: chat completions whose every sentence is cited and checked, models and embeddings.

The last message of the user is the question; what a model was told to be by others changes nothing here. Citations come
as `url_citation` annotations; verdicts, evidence and the trace stand in the extra field `osler`.
"""

import base64
import json
import time
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response, StreamingResponse

from osler.errors import InputError
from osler.nouns import Answer, Evidence, Principal, Trace, dump
from osler.reasoning.registry import Question, find_method, methods
from osler.server.access import capability, role, signed_in
from osler.server.api import desk_of, sight_of
from osler.server.problems import Refused
from osler.server.sight import SILENT
from osler.server.work import working
from osler.settings import Settings
from osler.text import has_chinese

router = APIRouter(prefix="/v1", dependencies=[Depends(signed_in)], tags=["openai"])
Who = Annotated[Principal, Depends(signed_in)]
MAKING = [role("clinician", "educator", "researcher"), capability("ask"), working()]
NAME = "osler"
VISION = {
    "en": "The vision model {model} says of the image, unchecked: {text}",
    "zh": "视觉模型 {model} 对图像的描述（未经核查）：{text}",
}
NO_VISION = {"en": "No vision model is configured: the image was not looked at.", "zh": "未配置视觉模型：未查看图像。"}
REVIEW = {"en": "For professional review.", "zh": "供专业人员审阅。"}
NOTHING = {"en": "No answer: {reason}.", "zh": "无法回答：{reason}。"}
MISSING = {"en": " What would help: {what}.", "zh": "所需资料：{what}。"}


class Open(BaseModel):
    """Unknown fields are let pass, as this interface's clients expect."""

    model_config = ConfigDict(extra="allow")


class Message(Open):
    role: str
    content: str | list[dict[str, Any]] | None = None


class Chat(Open):
    model: str
    messages: list[Message] = Field(min_length=1)
    stream: bool | None = False
    n: int | None = 1
    stream_options: dict[str, Any] | None = None


class Embed(Open):
    model: str
    input: str | list[str]
    encoding_format: Literal["float", "base64"] | None = "float"
    dimensions: int | None = None


@router.get("/models")
def models(request: Request) -> dict[str, Any]:
    """`osler` and its methods, and the embedder."""
    names = [NAME, *(f"{NAME}/{name}" for name in methods()), desk_of(request).resources.embedder.info.spec]
    return {"object": "list", "data": [card(name) for name in names]}


@router.get("/models/{name:path}")
def model(request: Request, name: str) -> dict[str, Any]:
    if name not in [row["id"] for row in models(request)["data"]]:
        raise Refused(404, f"the model {name!r} does not exist", "model")
    return card(name)


def card(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": NAME}


@router.post("/chat/completions", dependencies=MAKING)
def chat(request: Request, body: Chat, who: Who) -> Response:
    """Answer the last question of a conversation."""
    if (body.n or 1) != 1:
        raise Refused(400, "one answer is given: `n` must be 1", "n")
    question, images = asked(body.messages)
    seen = looked(images, question, desk_of(request).settings) if images else ""
    made, evidence, trace = desk_of(request).ask(Question(text=question, method=method_of(body.model)))
    silent = "ask" in desk_of(request).settings.server.silent
    sight_of(request).keep(trace.id, SILENT if silent else who, "answer")
    if silent:
        raise Refused(403, f"silent mode: the answer is kept as {trace.id} and not shown")
    parts = told(made, evidence, "zh" if has_chinese(question) else "en", seen)
    base = {"id": f"chatcmpl-{trace.id}", "created": int(time.time()), "model": body.model}
    extra = {**dump(made), "evidence": dump(evidence), "notice": "for professional review"}
    if body.stream:
        options = body.stream_options or {}
        lines = streamed(base, parts, extra, usage(trace) if options.get("include_usage") else None)
        return StreamingResponse(lines, media_type="text/event-stream")
    text = "".join(part for part, _ in parts)
    message = {"role": "assistant", "content": text, "refusal": None, "annotations": annotations(parts)}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return JSONResponse(
        {**base, "object": "chat.completion", "choices": [choice], "usage": usage(trace), "osler": extra}
    )


def asked(messages: list[Message]) -> tuple[str, list[str]]:
    """The text of the user's last message and the addresses of the images that came with it."""
    last = next((message for message in reversed(messages) if message.role == "user"), None)
    content = last.content if last and last.content else []
    parts: list[dict[str, Any]] = [{"type": "text", "text": content}] if isinstance(content, str) else content
    texts = [str(part.get("text") or "") for part in parts if part.get("type") in ("text", "input_text")]
    held = [part.get("image_url") for part in parts if part.get("type") in ("image_url", "input_image")]
    images = [str(one.get("url") if isinstance(one, dict) else one or "") for one in held]
    text = "\n".join(texts).strip()
    if not text:
        raise InputError("there is no question in the user's last message", where="messages")
    return text, images


def looked(images: list[str], question: str, settings: Settings) -> str:
    """What the vision model says of the images, named as such, or that there is none. Only images within the request
    are looked at: no address is fetched."""
    language: Literal["en", "zh"] = "zh" if has_chinese(question) else "en"
    if not settings.models.vision:
        return NO_VISION[language]
    from osler.imaging.pictures import parse_picture
    from osler.imaging.questions import ask

    said = []
    for number, address in enumerate(images, 1):
        head, _, data = address.partition(",")
        if not head.startswith("data:image/") or not head.endswith(";base64"):
            raise InputError("an image must be within the request, as a data: address", where=f"image {number}")
        try:
            content = base64.b64decode(data, validate=True)
        except ValueError:
            raise InputError("the image is no base64", where=f"image {number}") from None
        found = ask(parse_picture(content, f"image {number}"), question, settings)
        said.append(VISION[language].format(model=found.model, text=found.text))
    return "\n".join(said)


def method_of(name: str) -> str | None:
    """`osler`: as the settings say; `osler/METHOD`: by that method."""
    if name == NAME:
        return None
    family, _, method = name.partition("/")
    if family != NAME:
        raise Refused(404, f"the model {name!r} does not exist; use `{NAME}` or `{NAME}/METHOD`", "model")
    find_method(method)
    return method


def told(
    made: Answer, evidence: list[Evidence], language: Literal["en", "zh"], seen: str
) -> list[tuple[str, list[Evidence]]]:
    """The answer in sentences, each with what it cites; those not supported say so."""
    by_id, cited = {item.id: item for item in evidence}, list[str]()
    parts: list[tuple[str, list[Evidence]]] = [(seen + "\n\n", [])] if seen else []
    for statement in made.statements:
        cited += [id for id in statement.evidence if id not in cited]
        marks = "".join(f" [{cited.index(id) + 1}]" for id in statement.evidence)
        doubt = "" if statement.verdict == "supported" else f" ({statement.verdict})"
        parts.append((f"{statement.text}{marks}{doubt}\n", [by_id[id] for id in statement.evidence if id in by_id]))
    if made.abstained:
        what = ", ".join(made.abstained.missing)
        more = MISSING[language].format(what=what) if what else ""
        parts.append((NOTHING[language].format(reason=made.abstained.reason) + more + "\n", []))
    return [*parts, (f"\n{REVIEW[language]}", [])]


def annotations(parts: list[tuple[str, list[Evidence]]]) -> list[dict[str, Any]]:
    """A citation for each piece of evidence of each sentence, by its place in the text."""
    found, at = [], 0
    for text, cited in parts:
        for item in cited:
            where = {"start_index": at, "end_index": at + len(text.rstrip())}
            about = {"title": item.source.title or item.id, "url": item.source.url or f"urn:osler:{item.id}"}
            found.append({"type": "url_citation", "url_citation": where | about})
        at += len(text)
    return found


def usage(trace: Trace) -> dict[str, int]:
    """Tokens that a language model wrote; none where none was asked. Tokens read are not counted by the ledger."""
    wrote = sum(len(call.output_tokens or ()) for call in trace.calls)
    return {"prompt_tokens": 0, "completion_tokens": wrote, "total_tokens": wrote}


def streamed(
    base: dict[str, Any], parts: list[tuple[str, list[Evidence]]], extra: dict[str, Any], used: dict[str, int] | None
) -> Iterator[str]:
    """The answer sentence by sentence: it is checked as a whole before its first word is sent."""

    def line(delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}]
        chunk = {**base, "object": "chat.completion.chunk", "choices": choices, **more}
        return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"

    yield line({"role": "assistant", "content": ""})
    for text, _ in parts:
        yield line({"content": text})
    yield line({"annotations": annotations(parts)}, "stop", osler=extra)
    if used is not None:
        chunk = {**base, "object": "chat.completion.chunk", "choices": [], "usage": used}
        yield f"data: {json.dumps(chunk)}\n\n"
    yield "data: [DONE]\n\n"


@router.post("/embeddings", dependencies=[working()])
def embeddings(request: Request, body: Embed) -> dict[str, Any]:
    """Unit vectors of texts, as passages of the library are embedded."""
    embedder = desk_of(request).resources.embedder
    if body.model not in (embedder.info.spec, NAME):
        raise Refused(404, f"the embedder is {embedder.info.spec!r}", "model")
    texts = [body.input] if isinstance(body.input, str) else body.input
    if not texts or len(texts) > 2048 or not all(text.strip() for text in texts):
        raise Refused(400, "give 1 to 2,048 texts that are not empty", "input")
    if body.dimensions not in (None, embedder.info.dimension):
        raise Refused(400, f"this embedder's vectors have {embedder.info.dimension} dimensions", "dimensions")
    vectors = embedder.embed_passages(texts)

    def shown(row: Any) -> Any:
        return (
            base64.b64encode(np.asarray(row, "<f4").tobytes()).decode()
            if body.encoding_format == "base64"
            else row.tolist()
        )

    data = [{"object": "embedding", "index": n, "embedding": shown(row)} for n, row in enumerate(vectors)]
    used = {"prompt_tokens": 0, "total_tokens": 0}
    return {"object": "list", "data": data, "model": embedder.info.spec, "usage": used}
