"""A picture model as it lives in the home: weights, card, what it was measured to be, what it says of a picture.

A model answers for its own label only, with a calibrated chance, and says nothing of pictures unlike those it learned
from (Mahalanobis distance of features, Lee et al. 2018).
"""

import hashlib
import io
import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from osler import __version__
from osler.errors import InputError, IntegrityError, MissingComponent
from osler.imaging.learning.labelled import PARTS, Labelled, counts, seen
from osler.imaging.learning.leaks import find_leaks, without
from osler.imaging.learning.network import Fitted, Floats, Method, Progress, fit, outputs
from osler.imaging.pictures import Picture, preview
from osler.ledger import Ledger
from osler.ledger.chain import now
from osler.settings import Settings
from osler.statistics import auroc, calibration_error, reliability, statistic_interval, wilson

EPOCHS: dict[Method, int] = {"cnn": 8, "probe": 12}
INSIDE = 0.99  # share of the tuning pictures that are taken for alike
SMALLEST = 50  # pictures to report on, below which a model is made but not offered for use
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class ImageCard(BaseModel):
    """What is known of a model. `auroc`: one against the rest, mean over labels (of the second where there are two)."""

    model_config = ConfigDict(extra="forbid")

    name: str
    made: str
    osler: str = __version__
    digest: str
    labels: list[str]
    method: Method
    seed: int
    side: int
    channels: int
    spread: tuple[float, float]
    data: str
    data_digest: str
    licence: str | None
    parts: dict[str, dict[str, int]]
    patients_known: bool
    leaks: list[dict[str, Any]]
    auroc: float
    auroc_interval: tuple[float, float]
    right: float
    right_interval: tuple[float, float]
    majority: float
    calibration_error: float
    brier: float
    temperature: float
    bins: list[tuple[float, float, int]]
    unlike: float
    seconds: float

    @property
    def usable(self) -> bool:
        return self.auroc_interval[0] > 0.5 and sum(self.parts["test"].values()) >= SMALLEST


class Said(NamedTuple):
    """`label` is null where the picture is unlike those learned from; `chances` are calibrated on the tuning part."""

    picture: str
    model: str
    digest: str
    label: str | None
    chances: dict[str, float]
    why: str | None
    review: str = "for professional review"
    trace: str | None = None


class ImageModel(NamedTuple):
    card: ImageCard
    fitted: Fitted
    centres: npt.NDArray[np.float64]
    shape: npt.NDArray[np.float64]


def train(
    data: Labelled, name: str, settings: Settings, method: Method, licence: str | None, seed: int, progress: Progress
) -> ImageCard:
    """Learn, measure on the test part, and keep under the home. Raises InputError for a name that won't do."""
    from time import perf_counter

    if not _NAME.fullmatch(name):
        hint = "Small letters, digits, dots and dashes."
        raise InputError("a model can't have this name", where=name, hint=hint)
    folder = _folder(name, settings)
    if folder.exists():
        raise InputError("there is a model of this name", where=name, hint="Remove it, or take another name.")
    began = perf_counter()
    leaks = find_leaks(data)
    clean = without(data, leaks)
    of = {part: clean.of(part) for part in PARTS}
    for part in ("valid", "test"):
        if any(count < 5 for count in counts(clean, of[part]).values()):
            said = f"after leaks are taken out, the part {part} has fewer than 5 pictures of a label"
            raise InputError(said, where=data.name)
    pairs = {part: (clean.pixels[of[part]], clean.label[of[part]]) for part in PARTS}
    fitted = fit(method, pairs["train"], pairs["valid"], len(data.labels), EPOCHS[method], seed, progress)
    logits, features = outputs(fitted, pairs["valid"][0])
    temperature = _temperature(logits, pairs["valid"][1])
    _, learned = outputs(fitted, pairs["train"][0])
    centres, shape = _shape(learned, pairs["train"][1], len(data.labels))
    unlike = float(np.quantile(_distance(features, centres, shape), INSIDE))
    logits, _ = outputs(fitted, pairs["test"][0])
    chances = _chances(logits, temperature)
    truth = pairs["test"][1]
    patients = [clean.patient[k] for k in of["test"]]
    interval = statistic_interval(lambda drawn: _auroc(truth[drawn], chances[drawn]), patients)
    sure, right = chances.max(axis=1), (chances.argmax(axis=1) == truth).astype(float)
    weights = _packed(fitted.state)
    card = ImageCard(
        name=name,
        made=now(),
        digest=hashlib.sha256(weights).hexdigest(),
        labels=list(data.labels),
        method=method,
        seed=seed,
        side=fitted.side,
        channels=fitted.channels,
        spread=fitted.spread,
        data=data.name,
        data_digest=hashlib.sha256(data.pixels.tobytes() + data.label.tobytes()).hexdigest(),
        licence=licence,
        parts={part: counts(clean, of[part]) for part in PARTS},
        patients_known=data.named,
        leaks=leaks.rows(data),
        auroc=_auroc(truth, chances),
        auroc_interval=interval,
        right=float(right.mean()),
        right_interval=wilson(int(right.sum()), len(right)),
        majority=float(np.bincount(truth).max() / len(truth)),
        calibration_error=calibration_error(sure, right),
        brier=float(((chances - np.eye(len(data.labels))[truth]) ** 2).sum(axis=1).mean()),
        temperature=temperature,
        bins=[(one.confidence, one.right, one.n) for one in reliability(sure, right)],
        unlike=unlike,
        seconds=round(perf_counter() - began, 1),
    )
    _keep(folder, card, weights, centres, shape)
    Ledger.open(settings).append("imaging", {"what": "train", "card": card.model_dump(mode="json")})
    return card


def cards(settings: Settings) -> list[ImageCard]:
    """All models of the home, by name."""
    return [_card(path) for path in sorted((settings.home / "imaging").glob("*/card.json"))]


def load(name: str, settings: Settings) -> ImageModel:
    """Raises MissingComponent for a model that isn't there, IntegrityError for weights that are not the card's."""
    folder = _folder(name, settings)
    if not (folder / "card.json").exists():
        known = ", ".join(card.name for card in cards(settings)) or "none yet"
        raise MissingComponent("no such image model", where=name, hint=f"Models: {known}.")
    card = _card(folder / "card.json")
    weights = (folder / "weights.pt").read_bytes()
    if hashlib.sha256(weights).hexdigest() != card.digest:
        raise IntegrityError("the weights are not those that were measured", where=str(folder))
    import torch

    state = torch.load(io.BytesIO(weights), weights_only=True)
    with np.load(folder / "features.npz", allow_pickle=False) as held:
        centres, shape = held["centres"], held["shape"]
    fitted = Fitted(card.method, card.side, card.channels, len(card.labels), card.spread, state)
    return ImageModel(card, fitted, centres, shape)


def predict(model: ImageModel, picture: Picture, settings: Settings, frame: int = 0) -> Said:
    """What the model says of one frame; kept in the ledger by the digest of its pixels, not the pixels."""
    card = model.card
    pixels = seen(picture, card.side, card.channels, frame)
    logits, features = outputs(model.fitted, pixels[None])
    chances = _chances(logits, card.temperature)[0]
    why = None
    if float(_distance(features, model.centres, model.shape)[0]) > card.unlike:
        why = "the picture is unlike those that the model learned from"
    elif not card.usable:
        why = "the model was not shown to tell these labels apart"
    label = None if why else card.labels[int(chances.argmax())]
    shown = {name: round(float(chance), 4) for name, chance in zip(card.labels, chances, strict=True)}
    said = Said(picture.name, card.name, card.digest, label, {} if why else shown, why)
    digest = hashlib.sha256(preview(picture, frame).tobytes()).hexdigest()
    entry = Ledger.open(settings).append("imaging", {"what": "predict", "pixels": digest, "said": said._asdict()})
    return said._replace(trace=entry.id)


def saliency(model: ImageModel, picture: Picture, frame: int = 0) -> npt.NDArray[np.float64]:
    """How much the chance of the label falls when a patch is greyed out (occlusion, Zeiler and Fergus 2014).

    (side, side), 0 to 1 of the greatest fall. It shows what the model looked at, not whether it is right.
    """
    card = model.card
    pixels = seen(picture, card.side, card.channels, frame)
    patch = max(4, card.side // 7)
    starts = range(0, card.side - patch + 1, max(1, patch // 2))
    places = [(y, x) for y in starts for x in starts]
    covered = np.repeat(pixels[None], len(places) + 1, axis=0)
    for number, (y, x) in enumerate(places, 1):
        covered[number, y : y + patch, x : x + patch] = round(card.spread[0])
    chances = _chances(outputs(model.fitted, covered)[0], card.temperature)
    label = int(chances[0].argmax())
    fall, times = np.zeros((card.side, card.side)), np.zeros((card.side, card.side))
    for (y, x), chance in zip(places, chances[1:, label], strict=True):
        fall[y : y + patch, x : x + patch] += max(0.0, chances[0, label] - chance)
        times[y : y + patch, x : x + patch] += 1
    fall /= np.maximum(times, 1)
    return fall / max(float(fall.max()), 1e-9)


def overlay(model: ImageModel, picture: Picture, frame: int = 0) -> npt.NDArray[np.uint8]:
    """The picture as the model saw it, enlarged, with what mattered tinted."""
    side = model.card.side
    grey = seen(picture, side, 3, frame).astype(float)
    heat = saliency(model, picture, frame)[..., None]
    tint = np.array([214.0, 93.0, 14.0])
    mixed = grey * (1 - 0.6 * heat) + tint * 0.6 * heat
    times = max(1, 448 // side)
    return np.asarray(mixed.astype(np.uint8).repeat(times, axis=0).repeat(times, axis=1))


def markdown(card: ImageCard) -> str:
    """The model card as a document."""
    low, high = card.auroc_interval
    rows = "\n".join(
        f"| {label} | {' | '.join(str(card.parts[part][label]) for part in PARTS)} |" for label in card.labels
    )
    leaks = "\n".join(f"- {one['kind']} ({one['count']}): {one['detail']}" for one in card.leaks) or "- none found"
    bins = "\n".join(f"| {said:.2f} | {right:.2f} | {n} |" for said, right, n in card.bins)
    return (
        f"# {card.name}\n\nTells {', '.join(card.labels)} apart in pictures like those of its data, and nothing else. "
        f"For professional review; not a medical device.\n\n"
        f"- made {card.made} by osler {card.osler}; {card.method}, seed {card.seed}, {card.seconds:.0f} s\n"
        f"- weights sha256 {card.digest}\n- data {Path(card.data).name}, sha256 {card.data_digest}; licence: "
        f"{card.licence or 'not given'}\n\n## Measured on the test part\n\n"
        f"AUROC {card.auroc:.3f} [{low:.3f}, {high:.3f}] (95%, by {'patient' if card.patients_known else 'picture'}); "
        f"right {card.right:.3f} [{card.right_interval[0]:.3f}, {card.right_interval[1]:.3f}], always the commonest "
        f"label {card.majority:.3f}; calibration error {card.calibration_error:.3f}, Brier {card.brier:.3f}\n\n"
        f"| label | train | valid | test |\n|---|--:|--:|--:|\n{rows}\n\n"
        f"| chance said | right | pictures |\n|--:|--:|--:|\n{bins}\n\n## Leaks and giveaways\n\n{leaks}\n"
    )


def _auroc(truth: npt.NDArray[np.int64], chances: Floats) -> float:
    classes = range(1, 2) if chances.shape[1] == 2 else range(chances.shape[1])
    return float(np.nanmean([auroc((truth == k).astype(float), chances[:, k]) for k in classes]))


def _chances(logits: Floats, temperature: float) -> Floats:
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _temperature(logits: Floats, truth: npt.NDArray[np.int64]) -> float:
    """The one with the least log loss on the tuning part (Guo et al. 2017)."""
    steps = np.exp(np.linspace(np.log(0.2), np.log(5), 80))
    losses = [-np.log(_chances(logits, step)[np.arange(len(truth)), truth] + 1e-12).mean() for step in steps]
    return float(steps[int(np.argmin(losses))])


def _shape(features: Floats, truth: npt.NDArray[np.int64], classes: int) -> tuple[Floats, Floats]:
    """Centres of the labels, and the matrix that whitens what is left (leading 32 axes)."""
    centres = np.stack([features[truth == k].mean(axis=0) for k in range(classes)])
    rest = features - centres[truth]
    values, axes = np.linalg.eigh(np.cov(rest.T))
    leading = np.argsort(-values)[:32]
    return centres, axes[:, leading] / np.sqrt(np.maximum(values[leading], 1e-6))


def _distance(features: Floats, centres: Floats, shape: Floats) -> Floats:
    gaps = (features[:, None] - centres[None]) @ shape
    return np.asarray(np.linalg.norm(gaps, axis=2).min(axis=1))


def _packed(state: dict[str, Any]) -> bytes:
    import torch

    out = io.BytesIO()
    torch.save(state, out)
    return out.getvalue()


def _keep(folder: Path, card: ImageCard, weights: bytes, centres: Floats, shape: Floats) -> None:
    """All files or none."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".", dir=folder.parent))
    try:
        (made / "weights.pt").write_bytes(weights)
        np.savez(made / "features.npz", centres=centres, shape=shape)
        (made / "MODEL_CARD.md").write_text(markdown(card), encoding="utf-8")
        (made / "card.json").write_text(json.dumps(card.model_dump(mode="json"), indent=1), encoding="utf-8")
        made.rename(folder)
    except OSError as error:
        shutil.rmtree(made, ignore_errors=True)
        raise InputError(f"the model can't be kept: {error.strerror}", where=str(folder)) from None


def _card(path: Path) -> ImageCard:
    return ImageCard.model_validate_json(path.read_text(encoding="utf-8"))


def _folder(name: str, settings: Settings) -> Path:
    return settings.home / "imaging" / name


def names(found: Sequence[ImageCard]) -> str:
    return ", ".join(card.name for card in found)
