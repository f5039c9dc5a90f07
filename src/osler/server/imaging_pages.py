"""The page of images and ECGs: files in, a viewer out. The pixels go into the page and are kept nowhere."""

import base64
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from starlette.responses import Response

from osler.errors import InputError, OslerError
from osler.imaging.ecg import Ecg, Reading, measure, read_ecg
from osler.imaging.learning.model import cards, load, overlay, predict
from osler.imaging.pictures import Picture, dataset, is_dicom, png, preview, read_series
from osler.imaging.questions import ask
from osler.ledger import Ledger
from osler.server.access import capability, role, signed_in
from osler.server.api import Who, desk_of
from osler.server.look import _, page
from osler.server.problems import Refused
from osler.server.work import working

router = APIRouter(prefix="/images", include_in_schema=False, dependencies=[Depends(signed_in)])
LARGEST = 48_000_000  # bytes of pixels in one page
LONGEST = 1024  # pixels of a picture's longer side there
WINDOWS = {"soft tissue": (50, 400), "lung": (-600, 1500), "bone": (400, 1800), "brain": (40, 80)}  # HU
WORDS = (  # said by the page as they come from below
    _("regular"), _("irregular"), _("below"), _("above"), _("heart rate"), _("PR interval"), _("QRS duration"),
    _("QT interval"), _("QTc interval (Fridericia)"), _("not measured in an irregular rhythm"),
    _("its waves were found in fewer than half of the beats"), _("soft tissue"), _("lung"), _("bone"), _("brain"),
    _("the picture is unlike those that the model learned from"),
    _("the model was not shown to tell these labels apart"),
)  # fmt: skip
SPEED, HEIGHT = 100, 60  # of an ECG strip: pixels a second and a millivolt


@router.get("")
def new(request: Request, who: Who) -> Response:
    settings = desk_of(request).settings
    usable = [card for card in cards(settings) if card.usable]
    return page(request, "images", models=usable, vision=settings.models.vision)


@router.post("", dependencies=[role("clinician", "educator", "researcher"), capability("images"), working()])
def show(
    request: Request, who: Who, files: Annotated[list[UploadFile], File()], model: Annotated[str, Form()] = "",
    question: Annotated[str, Form()] = "",
) -> Response:  # fmt: skip
    """The viewer, with what a chosen model says of the first picture."""
    settings = desk_of(request).settings
    with TemporaryDirectory() as folder:
        for number, file in enumerate(files):
            name = Path(file.filename or f"file {number}").name
            (Path(folder) / name).write_bytes(file.file.read())
        strips = list(_strips(Path(folder)))
        taken = {one.name for strip, _ in strips for one in Path(folder).glob(f"{Path(strip.name).stem}.*")}
        for name in taken:
            (Path(folder) / name).unlink()
        series = read_series(folder) if any(Path(folder).iterdir()) else None
    pictures, skipped = (series.pictures, series.skipped) if series else ([], [])
    if not pictures and not strips:
        raise InputError("; ".join(f"{name}: {why}" for name, why in skipped) or "there is no file")
    Ledger.open(settings).append("imaging", {"what": "shown", "who": who.id, "files": len(files)})
    said = drawn = answer = None
    if pictures and model:
        loaded = load(model, settings)
        said = predict(loaded, pictures[0], settings)
        drawn = _address(png(overlay(loaded, pictures[0])))
    if pictures and question.strip():
        answer = ask(pictures[0], question, settings)
    if "images" in settings.server.silent:
        raise Refused(403, "silent mode: what models say of pictures is kept and not shown")
    viewed = [_viewed(picture) for picture in pictures]
    if sum(len(one["pixels"]) for one in viewed) > LARGEST * 4 / 3:
        hint = "Give fewer slices at once."
        raise InputError(f"more than the {LARGEST // 1_000_000} MB of pixels that one page shows", hint=hint)
    return page(
        request, "parts/images_view", pictures=viewed, strips=[_strip(*one) for one in strips], skipped=skipped,
        said=said, drawn=drawn, answer=answer, windows=WINDOWS,
    )  # fmt: skip


def _strips(folder: Path) -> Iterator[tuple[Ecg, Reading | None]]:
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        if path.suffix != ".hea" and not (is_dicom(data) and "WaveformSequence" in dataset(data, path.name)):
            continue
        ecg = read_ecg(path)._replace(name=path.name)
        try:
            yield ecg, measure(ecg)
        except OslerError:
            yield ecg, None


def _viewed(picture: Picture) -> dict[str, Any]:
    """What the viewer needs: pixels as 16-bit numbers (or RGB bytes) in base64, smaller if they are large."""
    step = max(1, -(-max(picture.frames.shape[1:3]) // LONGEST))
    frames = picture.frames[:, ::step, ::step]
    low, high = float(frames.min()), float(frames.max())
    if picture.colour:
        scale, data = 1.0, np.ascontiguousarray(frames).tobytes()
    else:  # value = number * scale + low
        scale = max((high - low) / 65535, 1e-9)
        data = np.rint((frames - low) / scale).astype("<u2").tobytes()
    summary = picture.summary()
    height, width = frames.shape[1:3]
    shown = {"shown_height": height, "shown_width": width, "step": step, "low": low, "scale": scale}
    still = _address(png(np.ascontiguousarray(preview(picture, 0)[::step, ::step])))
    more = {"inverted": picture.inverted, "values": [low, high], "still": still}
    return {**summary, **shown, **more, "pixels": base64.b64encode(data).decode()}


def _strip(ecg: Ecg, reading: Reading | None) -> dict[str, Any]:
    """Lines of each lead, in pixels; the measured lead first."""
    first = reading.lead if reading else ecg.leads[0]
    order = sorted(range(len(ecg.leads)), key=lambda k: ecg.leads[k] != first)
    step = max(1, round(ecg.rate / 250))
    leads = [{"name": ecg.leads[k], "line": _line(ecg.signals[k][::step], ecg.rate / step)} for k in order]
    beats = [round(beat * SPEED, 1) for beat in reading.beats] if reading else []
    return {"name": ecg.name, "leads": leads, "width": round(ecg.seconds * SPEED), "beats": beats, "reading": reading}


def _line(signal: Sequence[float] | Any, rate: float) -> str:
    values = np.asarray(signal, float)
    middle = 100 - (values - np.median(values)) * HEIGHT
    return " ".join(f"{k / rate * SPEED:.1f},{y:.1f}" for k, y in enumerate(np.clip(middle, 2, 198)))


def _address(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"
