"""Prints how the imaging room does: image models beside a peer, ECGs beside their labels, text found in pixels.

    python benchmarks/imaging.py

Reads PneumoniaMNIST, the ECG sample and DICOM test files beside the checkout; writes nothing. The division of
PneumoniaMNIST is its own; nothing was tuned on its test part.
"""

import io
import re
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset

from osler.imaging.burned import mask
from osler.imaging.ecg import measure, read_ecg
from osler.imaging.learning.labelled import Labelled, read_labelled
from osler.imaging.learning.leaks import find_leaks, without
from osler.imaging.learning.model import ImageCard, train
from osler.imaging.pictures import parse_picture, preview, read_picture
from osler.settings import load_settings
from osler.statistics import auroc, statistic_interval, wilson

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
BRADYCARDIA, TACHYCARDIA, EARLY_BEATS = "426177001", "427084000", "284470004"
LEGIBLE = 40  # grey levels of difference
LINES = ("DOE^JOHN 1956-03-02", "MRN 4471902", "ST MARY HOSPITAL", "Acc 88120-7", "SMITH, ANNA F 071Y", "12 Mar 2024")


def learners(data: Labelled) -> Iterator[str]:
    yield "| learner | AUROC on test [95%] | right | calibration error | Brier | CPU s |"
    yield "|---|---|--:|--:|--:|--:|"
    with tempfile.TemporaryDirectory() as home:
        settings = load_settings({"home": home})
        for method in ("cnn", "probe"):
            for seed in (0, 1, 2):
                began = time.process_time()
                card: ImageCard = train(data, f"{method}-{seed}", settings, method, None, seed, lambda *_: None)
                low, high = card.auroc_interval
                yield (
                    f"| {method}, seed {seed} | {card.auroc:.3f} [{low:.3f}, {high:.3f}] | {card.right:.3f} | "
                    f"{card.calibration_error:.3f} | {card.brier:.3f} | {time.process_time() - began:.0f} |"
                )
    yield from peers(data)


def peers(data: Labelled) -> Iterator[str]:
    """What scikit-learn does with the same pixels: a logistic regression and a gradient-boosted forest."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    clean = without(data, find_leaks(data))
    train_part, test = clean.of("train"), clean.of("test")
    flat = clean.pixels.reshape(len(clean.pixels), -1) / 255
    truth = clean.label[test].astype(float)
    for name, model in (
        ("logistic regression of pixels", LogisticRegression(max_iter=500, C=0.01)),
        ("gradient-boosted trees of pixels", HistGradientBoostingClassifier(random_state=0)),
    ):
        began = time.process_time()
        model.fit(flat[train_part], clean.label[train_part])
        score = model.predict_proba(flat[test])[:, 1]
        value = auroc(truth, score)
        low, high = statistic_interval(lambda drawn, s=score: auroc(truth[drawn], s[drawn]), list(test))
        right = float(((score > 0.5) == truth).mean())
        spent = time.process_time() - began
        yield f"| {name} (scikit-learn) | {value:.3f} [{low:.3f}, {high:.3f}] | {right:.3f} | | | {spent:.0f} |"


def ecgs() -> Iterator[str]:
    rows: dict[str, list[bool]] = {
        "rate over 100 where tachycardia is coded": [],
        "rate under 60 where bradycardia is": [],
    }
    rows |= {"irregular where early beats are coded": [], "regular where none are": []}
    seconds, missing = [], 0
    paths = sorted((SHARED / "signals" / "ecg").glob("*.hea"))
    for path in paths:
        coded = re.search(r"Dx: (\S+)", path.read_text())[1].split(",")
        ecg = read_ecg(path)
        began = time.perf_counter()
        reading = measure(ecg)
        seconds.append(time.perf_counter() - began)
        missing += "QTc interval (Fridericia)" not in {one.name for one in reading.measurements}
        rate = reading.measurements[0].value
        fast, slow, early, _none = rows.values()
        if TACHYCARDIA in coded:
            fast.append(rate > 100)
        if BRADYCARDIA in coded:
            slow.append(rate < 60)
        (early if EARLY_BEATS in coded else _none).append((reading.rhythm == "irregular") == (EARLY_BEATS in coded))
    yield f"{len(paths)} records of 12 leads and 10 s; median {np.median(seconds):.2f} s each\n"
    yield "| what | agrees | 95% |\n|---|--:|---|"
    for name, found in rows.items():
        low, high = wilson(sum(found), len(found))
        yield f"| {name} | {sum(found)}/{len(found)} | {low:.2f} to {high:.2f} |"
    yield f"| QTc measured | {len(paths) - missing}/{len(paths)} | |"


def burned() -> Iterator[str]:
    """Lines written into real pixels at random places, where they can be read; gone: 95% of a line is painted over."""
    luck = np.random.default_rng(11)
    yield "| height of the letters, pixels | lines | gone | 95% | of the rest of the picture painted |"
    yield "|---|--:|--:|---|--:|"
    files = ["RG1_J2KI", "RG3_J2KI", "US1_J2KI", "examples_overlay", "JPEG2000"]
    for height in (10, 14, 20, 32):
        gone, painted = [], []
        for file in files:
            for number in range(6):
                picture = read_picture(SHARED / "images" / "dicom" / f"{file}.dcm")
                shown = preview(picture)
                shown = shown if shown.ndim == 2 else shown.mean(axis=2).astype(np.uint8)
                small = Image.fromarray(shown)
                small.thumbnail((768, 768))
                pixels = np.array(small)
                text = LINES[number]
                image = Image.new("L", small.size)
                wide = int(height * 0.6 * len(text))
                x, y = (
                    int(luck.integers(0, max(1, size - room)))
                    for size, room in zip(small.size, (wide, height * 1.4), strict=True)
                )
                ImageDraw.Draw(image).text((x, y), text, fill=255, font=ImageFont.load_default(height))
                drawn = np.asarray(image) > 100
                where = drawn & (pixels < 255 - LEGIBLE)  # white on white is no text
                if where.sum() < max(20, 0.8 * drawn.sum()):
                    continue
                pixels[drawn] = 255
                found = mask(saved(pixels), "x")
                covered = np.zeros(pixels.shape, bool)
                for one in found.regions:
                    covered[one.y : one.y + one.height, one.x : one.x + one.width] = True
                assert (parse_picture(found.data, "x").frames[0][covered] == pixels.min()).all()
                gone.append(bool(covered[where].mean() >= 0.95))
                box = np.zeros(pixels.shape, bool)
                ys, xs = np.nonzero(where)
                box[max(0, ys.min() - height) : ys.max() + height, max(0, xs.min() - height) : xs.max() + height] = True
                painted.append(float(covered[~box].mean()))
        low, high = wilson(sum(gone), len(gone))
        yield f"| {height} | {len(gone)} | {sum(gone)} | {low:.2f} to {high:.2f} | {np.mean(painted):.1%} |"


def saved(pixels: np.ndarray) -> bytes:
    made = Dataset()
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    made.SOPClassUID, made.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", pydicom.uid.generate_uid()
    made.file_meta.MediaStorageSOPClassUID, made.file_meta.MediaStorageSOPInstanceUID = (
        made.SOPClassUID,
        made.SOPInstanceUID,
    )
    made.Modality, made.PhotometricInterpretation, made.SamplesPerPixel, made.PixelRepresentation = (
        "OT",
        "MONOCHROME2",
        1,
        0,
    )
    made.Rows, made.Columns = pixels.shape
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit = 7
    data = pixels.tobytes()
    made.PixelData = data + b"\0" * (len(data) % 2)
    made["PixelData"].VR = "OB"
    out = io.BytesIO()
    made.save_as(out, enforce_file_format=True)
    return out.getvalue()


def main() -> None:
    names = ("torch", "scikit-learn", "neurokit2", "rapidocr-onnxruntime", "pydicom")
    print("osler", version("osler"), "·", ", ".join(f"{name} {version(name)}" for name in names), "\n")
    data = read_labelled(SHARED / "images" / "pneumoniamnist.npz")
    print("## Image models, PneumoniaMNIST\n")
    for line in learners(data):
        print(line, flush=True)
    print("\n## ECG\n")
    for line in ecgs():
        print(line)
    print("\n## Text in pixels\n")
    for line in burned():
        print(line, flush=True)


if __name__ == "__main__":
    main()
