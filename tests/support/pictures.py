"""Scans with planted text, and labelled pictures that a network can tell apart in seconds."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

PLANTED = "ZQPLANT77"


def scan(pixels: np.ndarray, **tags: object) -> Dataset:
    """A small valid data set around grey pixels: (rows, columns) or (frames, rows, columns)."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = generate_uid()
    made.SeriesInstanceUID, made.StudyInstanceUID = generate_uid(), generate_uid()
    made.Modality, made.PhotometricInterpretation, made.SamplesPerPixel = "CT", "MONOCHROME2", 1
    if pixels.ndim == 3:
        made.NumberOfFrames = len(pixels)
    made.Rows, made.Columns = pixels.shape[-2:]
    made.BitsAllocated = made.BitsStored = 8 * pixels.dtype.itemsize
    made.HighBit = made.BitsStored - 1
    made.PixelRepresentation = int(np.issubdtype(pixels.dtype, np.signedinteger))
    made.PixelData = pixels.tobytes()
    made["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"
    for name, value in tags.items():
        setattr(made, name, value)
    return made


def saved(made: Dataset) -> bytes:
    out = io.BytesIO()
    made.save_as(out, enforce_file_format=True)
    return out.getvalue()


def written(
    text: str, size: tuple[int, int] = (320, 320), at: tuple[int, int] = (8, 8), height: int = 16
) -> np.ndarray:
    """Where a text stands: a mask."""
    image = Image.new("L", size)
    ImageDraw.Draw(image).text(at, text, fill=255, font=ImageFont.load_default(height))
    return np.asarray(image) > 100


def discs(count: int, seed: int = 0, side: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a bright disc at a random place for label 1."""
    luck = np.random.default_rng(seed)
    labels = luck.integers(0, 2, count)
    pixels = luck.normal(90, 20, (count, side, side))
    ys, xs = np.mgrid[:side, :side]
    for k in np.flatnonzero(labels):
        y, x = luck.integers(5, side - 5, 2)
        pixels[k] += 90 * ((ys - y) ** 2 + (xs - x) ** 2 <= 12)
    pixels -= pixels.mean(axis=(1, 2), keepdims=True) - 90  # no label is brighter
    pixels += luck.normal(0, 8, (count, 1, 1))
    return np.clip(pixels, 0, 255).astype(np.uint8), labels
