"""Text burned into pixels: found by reading characters in the picture, and painted over.

What the reader of characters misses stays: a file it changed is marked as unconfirmed until a person has looked.
"""

import functools
import io
import warnings
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from osler.errors import InputError, MissingComponent
from osler.imaging.pictures import Picture, dataset, is_dicom, parse_picture, png, preview

SURE = 0.3  # of a text, below which the shapes are taken for anatomy
MARGIN = 0.25  # of a text's height, painted over around it
DISTINCT = 8  # grey levels by which a frame must differ from the one before to be read again


class Region(NamedTuple):
    """A box of text in one frame; pixels from the upper left corner."""

    frame: int
    x: int
    y: int
    width: int
    height: int


class Masked(NamedTuple):
    """`data`: the file without the text that was found."""

    data: bytes
    regions: list[Region]


def available() -> bool:
    from importlib.util import find_spec

    return find_spec("rapidocr_onnxruntime") is not None


def find_text(picture: Picture) -> list[Region]:
    """Boxes of text, read in the window that the file asks for and over the whole range of values.

    Raises MissingComponent without the reader of characters.
    """
    found, last = list[Region](), None
    for frame in range(len(picture.frames)):
        views = [preview(picture, frame)]
        if not picture.colour:
            low, high = float(picture.frames[frame].min()), float(picture.frames[frame].max())
            views.append(preview(picture, frame, ((low + high) / 2, max(high - low, 1.0))))
        if last is not None and all(_alike(one, before) for one, before in zip(views, last, strict=True)):
            found += [one._replace(frame=frame) for one in found if one.frame == frame - 1]
        else:
            boxes = {box for view in views for box in _boxes(view)}
            found += [Region(frame, *box) for box in sorted(boxes)]
        last = views
    return found


def mask(data: bytes, name: str) -> Masked:
    """A DICOM, PNG or JPEG file with its text painted over; packed pixels are unpacked when something was found.

    A picture that is no DICOM file is written as PNG, without what its file said besides pixels.
    """
    picture = parse_picture(data, name)
    regions = find_text(picture)
    if not is_dicom(data):
        pixels = picture.frames if picture.colour else picture.frames.astype(_whole(picture))
        _paint(pixels, regions, 0)
        return Masked(png(pixels[0]), regions)
    return Masked(_painted(data, name, regions) if regions else data, regions)


def confirm(data: bytes, name: str) -> bytes:
    """The file, marked as one whose pixels hold no identifiers (PS3.15, Clean Pixel Data Option, code 113101).

    Raises InputError for a file that was not de-identified.
    """
    from pydicom.dataset import Dataset

    file = dataset(data, name)
    if str(file.get("PatientIdentityRemoved")) != "YES":
        raise InputError("its header still names the patient", where=name, hint="Give it to `osler deid` first.")
    file.BurnedInAnnotation = "NO"
    method = Dataset()
    method.CodeValue, method.CodingSchemeDesignator, method.CodeMeaning = "113101", "DCM", "Clean Pixel Data Option"
    kept = [one for one in file.get("DeidentificationMethodCodeSequence") or [] if one.get("CodeValue") != "113101"]
    file.DeidentificationMethodCodeSequence = [*kept, method]
    return _saved(file)


def _painted(data: bytes, name: str, regions: list[Region]) -> bytes:
    from pydicom.uid import ExplicitVRLittleEndian

    file = dataset(data, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stored = np.array(file.pixel_array)  # before any look-up table; colours as RGB
    several = int(file.get("NumberOfFrames") or 1) > 1
    space = str(file.PhotometricInterpretation)
    colour = int(file.get("SamplesPerPixel") or 1) > 1
    frames = stored if several else stored[None]
    dark = stored.max() if space == "MONOCHROME1" else 0 if colour or space == "PALETTE COLOR" else stored.min()
    _paint(frames, regions, dark)
    if colour:
        file.PhotometricInterpretation, file.PlanarConfiguration = "RGB", 0
    syntax = file.file_meta.TransferSyntaxUID
    kind = stored.dtype.newbyteorder("<" if syntax.is_little_endian else ">")
    pixels = np.ascontiguousarray(frames).astype(kind).tobytes()
    file.PixelData = pixels + b"\0" * (len(pixels) % 2)
    file["PixelData"].VR = "OB" if stored.dtype.itemsize == 1 else "OW"
    file["PixelData"].is_undefined_length = False
    if syntax.is_compressed:
        file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.BurnedInAnnotation = "YES"  # until a person has looked
    return _saved(file)


def _saved(file: Any) -> bytes:
    out = io.BytesIO()
    file.save_as(out)
    return out.getvalue()


def _paint(frames: npt.NDArray[Any], regions: list[Region], value: Any) -> None:
    for one in regions:
        frames[one.frame, one.y : one.y + one.height, one.x : one.x + one.width] = value


def _boxes(view: npt.NDArray[np.uint8]) -> list[tuple[int, int, int, int]]:
    """x, y, width, height of the texts that the reader is somewhat sure of."""
    height, width = view.shape[:2]
    colours = view if view.ndim == 3 else np.repeat(view[..., None], 3, axis=2)
    rows, _ = _reader()(np.ascontiguousarray(colours[..., ::-1]))
    made = []
    for corners, text, _score in rows or []:
        if not str(text).strip():
            continue
        xs, ys = zip(*corners, strict=True)
        margin = MARGIN * min(max(xs) - min(xs), max(ys) - min(ys)) + 1
        left, top = max(0, int(min(xs) - margin)), max(0, int(min(ys) - margin))
        right, bottom = min(width, int(max(xs) + margin) + 1), min(height, int(max(ys) + margin) + 1)
        made.append((left, top, right - left, bottom - top))
    return made


@functools.lru_cache(1)
def _reader() -> Any:
    try:
        from rapidocr_onnxruntime import RapidOCR
    except ImportError:
        hint = "pip install 'osler[imaging]'"
        raise MissingComponent(
            "text in pictures can't be looked for: rapidocr-onnxruntime is missing", hint=hint
        ) from None
    return RapidOCR(text_score=SURE)


def _alike(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8]) -> bool:
    return bool(np.abs(first.astype(np.int16) - second.astype(np.int16)).max() <= DISTINCT)


def _whole(picture: Picture) -> Any:
    return np.uint8 if float(picture.frames.max(initial=0)) <= 255 else np.uint16
