"""A question about a picture, to the vision-language model that is configured.

What it says is a model's word, checked by nothing: it is named so, kept, and has no privilege. Text in the pixels is
painted over before they leave, unless the settings say that nothing is to be de-identified.
"""

import base64
import hashlib
import json
from typing import Any, NamedTuple

import numpy as np

from osler.errors import InputError
from osler.imaging.burned import find_text
from osler.imaging.pictures import Picture, png, preview
from osler.ledger import Ledger
from osler.models import Message, Request
from osler.models.vision import vision_model
from osler.settings import Settings

LONGEST = 1024  # pixels of the longer side that is sent
TOKENS = 300
SYSTEM = (
    "You look at one medical image and answer the question about it in one or two sentences. Say only what can be "
    "seen. If it can't be seen, say so. Where an answer rests on a place in the image, give its box as shares of width "
    "and height, from 0 to 1, from the upper left."
)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "answer": {"type": "string"},
        "regions": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"label": {"type": "string"}}
                | {key: {"type": "number"} for key in ("x", "y", "width", "height")},
                "required": ["label", "x", "y", "width", "height"],
            },
        },
    },
    "required": ["answer", "regions"],
}


class Box(NamedTuple):
    """Pixels of the picture, from its upper left corner."""

    label: str
    x: int
    y: int
    width: int
    height: int


class ImageAnswer(NamedTuple):
    picture: str
    question: str
    text: str
    regions: list[Box]
    model: str
    digest: str
    masked: int
    review: str
    trace: str


def ask(picture: Picture, question: str, settings: Settings, frame: int = 0) -> ImageAnswer:
    """Raises MissingComponent where no vision model is configured, EgressBlocked where it may not be sent, and what the
    endpoint raises."""
    model = vision_model(settings)
    if not question.strip():
        raise InputError("there is no question")
    shown = preview(picture, frame).copy()
    masked = 0
    if settings.egress.deidentify:
        for one in find_text(picture._replace(frames=picture.frames[frame : frame + 1])):
            shown[one.y : one.y + one.height, one.x : one.x + one.width] = 0
            masked += 1
    messages = [Message("system", SYSTEM), Message("user", question.strip())]
    data = base64.b64encode(png(_smaller(shown))).decode()
    request = Request(messages=messages, max_tokens=TOKENS, images=[data], json_schema=SCHEMA)
    made = model.generate([request])[0]
    text, regions = _read(made.text, picture)
    if not text:
        raise InputError("the vision model said nothing", where=model.info.spec)
    said = {
        "what": "ask",
        "question": question,
        "pixels": hashlib.sha256(data.encode()).hexdigest(),
        "model": model.info.spec,
        "digest": model.info.digest,
        "output": made.text,
    }
    entry = Ledger.open(settings).append("imaging", said)
    review = "for professional review"
    info = model.info
    return ImageAnswer(picture.name, question, text, regions, info.spec, info.digest, masked, review, entry.id)


def _read(text: str, picture: Picture) -> tuple[str, list[Box]]:
    """The answer and its boxes; a text that is no JSON is the answer itself. Boxes beyond the picture are left out."""
    try:
        found = json.loads(text)
        answer, rows = str(found["answer"]).strip(), found.get("regions") or []
    except (ValueError, KeyError, TypeError, AttributeError):
        return text.strip(), []
    height, width = picture.frames.shape[1:3]
    boxes = []
    for row in rows if isinstance(rows, list) else []:
        try:
            x, y, w, h = (float(row[key]) for key in ("x", "y", "width", "height"))
            label = str(row["label"])
        except (KeyError, TypeError, ValueError):
            continue
        if 0 <= x < 1 and 0 <= y < 1 and 0 < w <= 1 - x + 1e-6 and 0 < h <= 1 - y + 1e-6:
            boxes.append(Box(label, round(x * width), round(y * height), round(w * width), round(h * height)))
    return answer, boxes


def _smaller(pixels: Any) -> Any:
    from PIL import Image

    image = Image.fromarray(pixels)
    image.thumbnail((LONGEST, LONGEST))
    return np.asarray(image)
