"""Pixels of DICOM, PNG and JPEG files, in the units of the modality, and as 8-bit previews.

It knows the grayscale pipeline of DICOM (PS3.3 C.11: modality LUT, VOI window, MONOCHROME1), planes and series.
It does not know what a picture shows.
"""

import io
import warnings
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from osler.errors import InputError, MissingComponent, OslerError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

LARGEST = 2_000_000_000  # bytes of pixels, unpacked
READ = 1_000_000_000  # bytes of a file
_OTHER = {"RTSTRUCT": "contours", "RTPLAN": "a plan", "SR": "a structured report", "KO": "a selection", "PR": "a view"}


class Picture(NamedTuple):
    """One image or one series, its frames in order.

    `frames`: (frames, height, width) float32 in the modality's units (HU for CT), or (frames, height, width, 3) uint8.
    `window`: centre and width in the same units. `spacing`: mm between rows and columns. `sides`: what lies left,
    right, above and below in the picture (L, R, A, P, H, F), where the file says it.
    """

    name: str
    modality: str
    frames: npt.NDArray[Any]
    window: tuple[float, float]
    unit: str
    inverted: bool = False
    spacing: tuple[float, float] | None = None
    sides: tuple[str, str, str, str] | None = None
    laterality: str | None = None
    view: str | None = None

    @property
    def colour(self) -> bool:
        return self.frames.ndim == 4

    def summary(self) -> dict[str, Any]:
        """What a program or a reader wants to know before looking."""
        count, height, width = self.frames.shape[:3]
        return {
            "name": self.name,
            "modality": self.modality,
            "frames": count,
            "height": height,
            "width": width,
            "colour": self.colour,
            "unit": self.unit,
            "window": {"centre": round(self.window[0], 2), "width": round(self.window[1], 2)},
            "spacing": None if self.spacing is None else [round(value, 4) for value in self.spacing],
            "sides": None
            if self.sides is None
            else dict(zip(("left", "right", "top", "bottom"), self.sides, strict=True)),
            "laterality": self.laterality,
            "view": self.view,
        }


class Series(NamedTuple):
    """Pictures of a folder, and the files that hold none, each with why."""

    pictures: list[Picture]
    skipped: list[tuple[str, str]]


def read_picture(path: str | Path) -> Picture:
    """The picture in a file. Raises InputError naming the file, MissingComponent for a codec that isn't there."""
    return parse_picture(_bytes(Path(path)), str(path))


def parse_picture(data: bytes, name: str) -> Picture:
    """As `read_picture`, of bytes."""
    if is_dicom(data):
        return _of_datasets([(name, dataset(data, name))], name)
    return _of_pillow(data, name)


def read_series(folder: str | Path) -> Series:
    """The pictures of a folder's files; the slices of a series are one picture, ordered along its axis."""
    series: dict[str, list[tuple[str, Dataset]]] = defaultdict(list)
    made, skipped = list[Picture](), list[tuple[str, str]]()
    paths = [path for path in sorted(Path(folder).rglob("*")) if path.is_file() and not path.name.startswith(".")]
    if not paths:
        raise InputError("a folder without files", where=str(folder))
    for path in paths:
        try:
            data = _bytes(path)
            if not is_dicom(data):
                made.append(_of_pillow(data, path.name))
                continue
            found = dataset(data, path.name)
            if not _has_pixels(found):
                raise InputError(_no_pixels(found), where=path.name)
            series[str(found.get("SeriesInstanceUID", path.name))].append((path.name, found))
        except OslerError as error:
            skipped.append((path.name, error.message))
    for rows in series.values():
        alike = defaultdict(list)
        for row in rows:
            alike[tuple(row[1].get(key) for key in ("Rows", "Columns", "SamplesPerPixel", "NumberOfFrames"))].append(
                row
            )
        for mine in alike.values():
            try:
                name = mine[0][0] if len(mine) == 1 else f"{mine[0][0]} and {len(mine) - 1} more"
                made.append(_of_datasets(_ordered(mine), name))
            except OslerError as error:
                skipped += [(row[0], error.message) for row in mine]
    return Series(made, skipped)


def preview(picture: Picture, frame: int = 0, window: tuple[float, float] | None = None) -> npt.NDArray[np.uint8]:
    """One frame as it is shown: (height, width) or (height, width, 3). Raises InputError for a frame that isn't there.

    The window is applied as PS3.3 C.11.2.1.2 (linear) says.
    """
    if not 0 <= frame < len(picture.frames):
        raise InputError(f"there is no frame {frame}: it has {len(picture.frames)}", where=picture.name)
    pixels = picture.frames[frame]
    if picture.colour:
        return np.asarray(pixels, np.uint8)
    centre, width = window or picture.window
    width = max(width, 1.0)
    shown = ((pixels - (centre - 0.5)) / max(width - 1, 1e-6) + 0.5) * 255
    shown = np.clip(np.nan_to_num(shown), 0, 255)
    return np.asarray(np.rint(255 - shown if picture.inverted else shown), np.uint8)


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Pixels as a PNG file."""
    out = io.BytesIO()
    _pillow().fromarray(pixels).save(out, "PNG", optimize=True)
    return out.getvalue()


def is_dicom(data: bytes) -> bool:
    """By its preamble, or, for files without one, by a first element of group 0008 (little endian)."""
    return data[128:132] == b"DICM" or (data[:2] == b"\x08\x00" and data[3:4] == b"\x00" and len(data) > 132)


def dataset(data: bytes, name: str) -> "Dataset":
    """The data set of a DICOM file. Raises InputError for a file that is none or is cut off."""
    try:
        import pydicom
    except ImportError:
        raise _without("pydicom", name) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = pydicom.dcmread(io.BytesIO(data), force=data[128:132] != b"DICM")
            list(found.iterall())  # elements are read late: what is damaged must fail here
            return found
        except Exception as error:  # the parser raises whatever the damaged bytes lead it to
            raise InputError(f"not a DICOM file that can be read: {error}", where=name) from None


def _of_datasets(rows: Sequence[tuple[str, "Dataset"]], name: str) -> Picture:
    first = rows[0][1]
    if not _has_pixels(first):
        raise InputError(_no_pixels(first), where=name)
    size = sum(_size(one) for _, one in rows)
    if size > LARGEST:
        said = f"{size / 1e9:.1f} GB of pixels, and {LARGEST / 1e9:.0f} GB are read at most"
        raise InputError(said, where=name, hint="Give fewer slices.")
    frames = np.concatenate([_pixels(one, where) for where, one in rows])
    colour = frames.ndim == 4
    return Picture(
        name=name,
        modality=str(first.get("Modality") or "unknown"),
        frames=frames,
        window=(127.5, 255.0) if colour else _window(first, frames),
        unit=_unit(first),
        inverted=str(first.get("PhotometricInterpretation")) == "MONOCHROME1",
        spacing=_spacing(first),
        sides=_sides(first),
        laterality=str(first.get("ImageLaterality") or first.get("Laterality") or "") or None,
        view=str(first.get("ViewPosition") or "") or None,
    )


def _pixels(found: "Dataset", name: str) -> npt.NDArray[Any]:
    """(frames, height, width) float32 after the modality LUT, or (frames, height, width, 3) uint8."""
    from pydicom.pixels import apply_color_lut, apply_modality_lut, convert_color_space

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pixels = found.pixel_array
            space = str(found.get("PhotometricInterpretation") or "MONOCHROME2")
            if space == "PALETTE COLOR":
                pixels = apply_color_lut(pixels, found)
            elif space.startswith("YBR_FULL") and found.file_meta.TransferSyntaxUID.is_compressed is False:
                pixels = convert_color_space(pixels, space, "RGB")
            elif not space.startswith(("RGB", "YBR")):
                pixels = np.asarray(apply_modality_lut(pixels, found), np.float32)
    except (RuntimeError, NotImplementedError, ImportError) as error:
        if not _unpackable(found):
            raise MissingComponent(
                f"its pixels are packed as {found.file_meta.TransferSyntaxUID.name}, and nothing here unpacks that",
                where=name,
                hint="pip install 'osler[imaging]'",
            ) from None
        raise InputError(f"its pixels can't be read: {error}", where=name) from None
    except Exception as error:  # cut-off and contradictory pixel data fail in many ways
        raise InputError(f"its pixels can't be read: {error}", where=name) from None
    several = int(found.get("NumberOfFrames") or 1) > 1
    if pixels.ndim == 4 or (pixels.ndim == 3 and pixels.shape[-1] == 3 and not several):
        if pixels.dtype != np.uint8:  # 16-bit palettes
            pixels = (pixels.astype(np.float64) / max(1, np.iinfo(pixels.dtype).max) * 255).astype(np.uint8)
        return pixels if pixels.ndim == 4 else pixels[None]
    return np.asarray(pixels if pixels.ndim == 3 else pixels[None], np.float32)


def _of_pillow(data: bytes, name: str) -> Picture:
    image_module = _pillow(name)
    from PIL import ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", image_module.DecompressionBombWarning)
            with image_module.open(io.BytesIO(data)) as file:
                kind = str(file.format)
                turned = ImageOps.exif_transpose(file)  # as the camera was held
                grey = turned.mode in ("1", "L", "LA", "I", "I;16", "I;16B", "F")
                deep = turned.mode.startswith(("I", "F"))
                pixels = np.asarray(turned if deep else turned.convert("L" if grey else "RGB"))
    except (image_module.DecompressionBombWarning, image_module.DecompressionBombError):
        raise InputError("more pixels than a picture has; it is not opened", where=name) from None
    except Exception as error:  # as above: damaged files fail in many ways
        raise InputError(f"not a DICOM, PNG or JPEG file that can be read: {error}", where=name) from None
    if not grey and (pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 1] == pixels[..., 2]).all():
        pixels, grey = pixels[..., 0], True
    frames = np.asarray(pixels, np.float32 if grey else np.uint8)[None]
    window = _span(frames) if deep else (127.5, 256.0)
    return Picture(name, kind, frames, window, "grey value")


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > READ:
            raise InputError(f"larger than the {READ // 1_000_000} MB of one file", where=str(path))
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"can't be read: {error.strerror}", where=str(path)) from None


def _has_pixels(found: "Dataset") -> bool:
    return any(key in found for key in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"))


def _no_pixels(found: "Dataset") -> str:
    modality = str(found.get("Modality") or "")
    if "WaveformSequence" in found:
        return "a waveform, no picture"
    what = _OTHER.get(modality)
    return f"it holds {what} ({modality}), no picture" if what else "it holds no pixels"


def _size(found: "Dataset") -> int:
    samples, frames = int(found.get("SamplesPerPixel") or 1), int(found.get("NumberOfFrames") or 1)
    return int(found.get("Rows") or 0) * int(found.get("Columns") or 0) * frames * (samples if samples > 1 else 4)


def _unpackable(found: "Dataset") -> bool:
    """Whether a decoder is there for how the pixels are packed."""
    from pydicom.pixels import get_decoder

    try:
        return bool(get_decoder(found.file_meta.TransferSyntaxUID).is_available)
    except (NotImplementedError, AttributeError):
        return False


def _window(found: "Dataset", frames: npt.NDArray[Any]) -> tuple[float, float]:
    """The file's first window, else all but the darkest and lightest hundredth."""
    try:
        centre, width = (
            _first(_functional(found, "FrameVOILUTSequence", key)) for key in ("WindowCenter", "WindowWidth")
        )
        if centre is not None and width is not None and float(width) >= 1:
            return float(centre), float(width)
    except (TypeError, ValueError):
        pass
    return _span(frames)


def _span(frames: npt.NDArray[Any]) -> tuple[float, float]:
    low, high = np.percentile(frames[:: max(1, len(frames) // 8)], (1, 99))
    return float(low + high) / 2, max(float(high - low), 1.0)


def _spacing(found: "Dataset") -> tuple[float, float] | None:
    value = _functional(found, "PixelMeasuresSequence", "PixelSpacing") or found.get("ImagerPixelSpacing")
    try:
        return (float(value[0]), float(value[1])) if value else None
    except (TypeError, ValueError, IndexError):
        return None


def _sides(found: "Dataset") -> tuple[str, str, str, str] | None:
    """What lies left, right, above, below: letters of the axes the rows and columns run along."""
    value = _functional(found, "PlaneOrientationSequence", "ImageOrientationPatient")
    if value is not None and len(value) == 6:
        try:
            row, column = (np.array(value[k : k + 3], float) for k in (0, 3))
        except (TypeError, ValueError):
            return None
        return _letters(-row), _letters(row), _letters(-column), _letters(column)
    ways = found.get("PatientOrientation")
    if ways is not None and not isinstance(ways, str) and len(ways) == 2 and all(ways):
        back = str.maketrans("LRAPHF", "RLPAFH")
        right, below = str(ways[0]), str(ways[1])
        return right.translate(back), right, below.translate(back), below
    return None


def _letters(way: npt.NDArray[Any]) -> str:
    axes = sorted(range(3), key=lambda axis: -abs(way[axis]))
    return "".join(("LR", "PA", "HF")[axis][int(way[axis] < 0)] for axis in axes if abs(way[axis]) > 0.3)


def _ordered(rows: list[tuple[str, "Dataset"]]) -> list[tuple[str, "Dataset"]]:
    """Slices along the normal of their plane, else by number."""

    def place(row: tuple[str, "Dataset"]) -> tuple[int, float, str]:
        name, found = row
        try:
            ways = np.array(found.ImageOrientationPatient, float)
            normal = np.cross(ways[:3], ways[3:])
            return 0, float(normal @ np.array(found.ImagePositionPatient, float)), name
        except (AttributeError, TypeError, ValueError):
            return 1, float(found.get("InstanceNumber") or 0), name

    return sorted(rows, key=place)


def _unit(found: "Dataset") -> str:
    if str(found.get("RescaleType") or ("HU" if found.get("Modality") == "CT" else "")) == "HU":
        return "HU"
    return "grey value"


def _functional(found: "Dataset", group: str, key: str) -> Any:
    """A value of the data set, or of the functional groups of an enhanced multi-frame one."""
    if found.get(key) is not None:
        return found.get(key)
    for name in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for item in (found.get(name) or [])[:1]:
            for inner in (item.get(group) or [])[:1]:
                if inner.get(key) is not None:
                    return inner.get(key)
    return None


def _first(value: Any) -> Any:
    from pydicom.multival import MultiValue

    return value[0] if isinstance(value, MultiValue) and value else value


def _pillow(name: str | None = None) -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise _without("Pillow", name) from None
    return Image


def _without(package: str, name: str | None) -> MissingComponent:
    return MissingComponent(f"{package} is not installed", where=name, hint="pip install 'osler[imaging]'")
