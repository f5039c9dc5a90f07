"""Labelled pictures in: a folder with a folder a label, a CSV, or MedMNIST's npz; what trains, tunes and reports out.

The division is by patient, from the file's own `split` where there is one, else by the hash of the patient's name.
"""

import csv
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from osler.errors import InputError, OslerError
from osler.imaging.pictures import Picture, preview, read_picture

SIDE = 64  # pixels of a picture's longer side that a model sees, at most
PARTS = ("train", "valid", "test")
_NAMES = {
    "train": "train",
    "training": "train",
    "val": "valid",
    "valid": "valid",
    "validation": "valid",
    "test": "test",
}
LEAST = 20  # pictures of a label


class Labelled(NamedTuple):
    """`pixels`: (n, side, side, channels) uint8. `label`: index into `labels`. `part`: train, valid or test.

    `attributes`: what else is known of each picture (source, view, size); `named`: whether patients are known.
    """

    name: str
    labels: tuple[str, ...]
    pixels: npt.NDArray[np.uint8]
    label: npt.NDArray[np.int64]
    part: npt.NDArray[np.str_]
    patient: list[str]
    files: list[str]
    attributes: dict[str, list[str]]
    named: bool

    def of(self, part: str) -> npt.NDArray[np.int64]:
        """Numbers of the pictures of a part."""
        return np.flatnonzero(self.part == part)

    def take(self, kept: npt.NDArray[np.int64]) -> "Labelled":
        """Only the pictures of these numbers."""
        return self._replace(
            pixels=self.pixels[kept],
            label=self.label[kept],
            part=self.part[kept],
            patient=[self.patient[k] for k in kept],
            files=[self.files[k] for k in kept],
            attributes={name: [values[k] for k in kept] for name, values in self.attributes.items()},
        )


class _Row(NamedTuple):
    file: str
    label: str
    patient: str | None
    part: str | None
    attributes: dict[str, str]
    pixels: npt.NDArray[np.uint8]


def read_labelled(path: str | Path) -> Labelled:
    """Raises InputError naming the file, line and what is wrong: no labels, unreadable pictures, too few of a label."""
    path = Path(path)
    if path.is_dir():
        rows = list(_of_folder(path))
    elif path.suffix == ".npz":
        rows = list(_of_npz(path))
    elif path.suffix in (".csv", ".tsv"):
        rows = list(_of_table(path))
    else:
        hint = "A folder with a folder a label, a CSV with the columns file and label, or an npz like MedMNIST's."
        raise InputError("labelled pictures are none of these", where=str(path), hint=hint)
    return _together(rows, str(path))


def seen(picture: Picture, side: int, channels: int, frame: int = 0) -> npt.NDArray[np.uint8]:
    """One frame as a model sees it: (side, side, channels), its shape kept, the rest black."""
    from PIL import Image

    image = Image.fromarray(preview(picture, frame)).convert("L" if channels == 1 else "RGB")
    scale = side / max(image.size)
    if image.size != (side, side):
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR)
    canvas = np.zeros((side, side, channels), np.uint8)
    array = np.asarray(image).reshape(image.height, image.width, channels)
    top, left = (side - image.height) // 2, (side - image.width) // 2
    canvas[top : top + image.height, left : left + image.width] = array
    return canvas


def _together(rows: list[_Row], where: str) -> Labelled:
    counts = Counter(row.label for row in rows)
    if len(counts) < 2:
        raise InputError(f"pictures of {len(counts)} labels; two are needed to learn a difference", where=where)
    few = sorted(f"{label} ({count})" for label, count in counts.items() if count < LEAST)
    if few:
        raise InputError(f"fewer than {LEAST} pictures of {', '.join(few)}", where=where)
    labels = tuple(sorted(counts))
    side = min(SIDE, max(max(row.pixels.shape[:2]) for row in rows))
    channels = 3 if any(row.pixels.ndim == 3 for row in rows) else 1
    named = all(row.patient for row in rows)
    if not named and any(row.patient for row in rows):
        raise InputError("some pictures have a patient, others none", where=where)
    patients = [row.patient or row.file for row in rows]
    divided = {row.part is not None for row in rows}
    if len(divided) > 1:
        raise InputError("some pictures have a split, others none", where=where)
    part = np.array([row.part or _drawn(patient) for row, patient in zip(rows, patients, strict=True)])
    if not (part == "valid").any():  # the file's own split has no part to tune on
        part = np.array(
            ["valid" if p == "train" and _drawn(who) == "valid" else p for p, who in zip(part, patients, strict=True)]
        )
    label = np.array([labels.index(row.label) for row in rows])
    for name in PARTS:
        missing = [labels[k] for k in range(len(labels)) if not ((part == name) & (label == k)).any()]
        if missing:
            raise InputError(f"the part {name} holds no picture of {', '.join(missing)}", where=where)
    pixels = np.stack([_fitted(row.pixels, side, channels) for row in rows])
    names = sorted({name for row in rows for name in row.attributes})
    attributes = {name: [row.attributes.get(name, "") for row in rows] for name in names}
    return Labelled(where, labels, pixels, label, part, patients, [row.file for row in rows], attributes, named)


def _fitted(pixels: npt.NDArray[np.uint8], side: int, channels: int) -> npt.NDArray[np.uint8]:
    if pixels.shape[:2] == (side, side):
        grey = pixels.ndim == 2
        return np.repeat(pixels[..., None], channels, axis=2) if grey else pixels
    frames = pixels[None].astype(np.float32) if pixels.ndim == 2 else pixels[None]
    return seen(Picture("", "", frames, (127.5, 256.0), ""), side, channels)


def _drawn(patient: str) -> str:
    """70% train, 10% tune, 20% report, the same for a patient whatever else is in the folder."""
    place = int.from_bytes(hashlib.sha256(patient.encode()).digest()[:4], "big") % 10
    return "train" if place < 7 else "valid" if place == 7 else "test"


def _of_folder(folder: Path) -> Iterator[_Row]:
    below = sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))
    if below and all(one.name.lower() in _NAMES for one in below):
        for part in below:
            for label in sorted(one for one in part.iterdir() if one.is_dir()):
                yield from _files(folder, label, _NAMES[part.name.lower()])
        return
    for label in below:
        yield from _files(folder, label, None)


def _files(folder: Path, label: Path, part: str | None) -> Iterator[_Row]:
    for path in sorted(one for one in label.rglob("*") if one.is_file() and not one.name.startswith(".")):
        yield _row(path, str(path.relative_to(folder)), label.name, None, part, {})


def _of_table(path: Path) -> Iterator[_Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            table = csv.DictReader(lines, delimiter="\t" if path.suffix == ".tsv" else ",")
            columns = list(table.fieldnames or ())
            if missing := sorted({"file", "label"} - set(columns)):
                raise InputError(f"no column {' or '.join(missing)}", where=str(path))
            rows = [(f"{path}, line {table.line_num}", row) for row in table]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"the table can't be read: {error}", where=str(path)) from None
    for where, row in rows:
        label, file, part = ((row.get(key) or "").strip() for key in ("label", "file", "split"))
        if not label or not file:
            raise InputError("a picture needs a file and a label", where=where)
        if part and part.lower() not in _NAMES:
            raise InputError(f"the split is train, valid or test, not {part!r}", where=where)
        others = {
            key: (row.get(key) or "").strip() for key in columns if key not in ("file", "label", "split", "patient")
        }
        patient = (row.get("patient") or "").strip() or None
        try:
            yield _row(path.parent / file, file, label, patient, _NAMES.get(part.lower()), others)
        except OslerError as error:
            raise InputError(error.message, where=f"{where}, {file}", hint=error.hint) from None


def _row(path: Path, name: str, label: str, patient: str | None, part: str | None, more: dict[str, str]) -> _Row:
    picture = read_picture(path)
    if len(picture.frames) > 1:
        raise InputError(f"{len(picture.frames)} frames; a labelled picture has one", where=name)
    height, width = picture.frames.shape[1:3]
    known = {
        "view": picture.view,
        "side": picture.laterality,
        "modality": picture.modality,
        "size": f"{width}x{height}",
    }
    small = seen(picture, min(SIDE, max(height, width)), 3 if picture.colour else 1)
    pixels = small if picture.colour else small[..., 0]
    return _Row(name, label, patient, part, {key: value for key, value in known.items() if value} | more, pixels)


def _of_npz(path: Path) -> Iterator[_Row]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            held: dict[str, Any] = {key: arrays[key] for key in arrays.files}
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"not an npz file that can be read: {error}", where=str(path)) from None
    parts = [part for part in ("train", "val", "test") if f"{part}_images" in held and f"{part}_labels" in held]
    if not parts:
        raise InputError("no arrays train_images and train_labels in it", where=str(path))
    for part in parts:
        images, labels = (
            held[f"{part}_images"],
            np.asarray(held[f"{part}_labels"]).reshape(len(held[f"{part}_images"]), -1),
        )
        if labels.shape[1] != 1 or images.ndim not in (3, 4):
            raise InputError(f"{part}: one label and one picture a row are needed", where=str(path))
        for number, (image, label) in enumerate(zip(images, labels[:, 0], strict=True)):
            yield _Row(f"{part}/{number}", str(label), None, _NAMES[part], {}, np.asarray(image, np.uint8))


def counts(data: Labelled, numbers: Sequence[int] | npt.NDArray[np.int64]) -> dict[str, int]:
    """Pictures of each label among these."""
    found = Counter(data.labels[data.label[k]] for k in numbers)
    return {label: found.get(label, 0) for label in data.labels}
