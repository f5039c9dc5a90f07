"""Labelled pictures in, leaks found, a model that tells labels apart and says nothing of what it doesn't know."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from tests.support.pictures import discs

from osler.cli import cli
from osler.errors import InputError, IntegrityError, MissingComponent
from osler.imaging.learning.labelled import Labelled, counts, read_labelled
from osler.imaging.learning.leaks import find_leaks, without
from osler.imaging.learning.model import cards, load, predict, saliency, train
from osler.imaging.pictures import parse_picture, png
from osler.ledger import Ledger
from osler.settings import Settings


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """600 pictures of 200 patients."""
    pixels, labels = discs(600)
    rows = []
    for k, (picture, label) in enumerate(zip(pixels, labels, strict=True)):
        Image.fromarray(picture).save(tmp_path / f"{k}.png")
        rows.append({"file": f"{k}.png", "label": "disc" if label else "none", "patient": f"p{k // 3}", "source": "A"})
    return csv_of(tmp_path / "labels.csv", rows)


def csv_of(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="") as out:
        made = csv.DictWriter(out, list(rows[0]))
        made.writeheader()
        made.writerows(rows)
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open() as lines:
        return list(csv.DictReader(lines))


def test_patients_stand_on_one_side(table: Path) -> None:
    data = read_labelled(table)
    assert data.labels == ("disc", "none") and data.named and data.pixels.shape == (600, 24, 24, 1)
    sides: dict[str, set[str]] = {}
    for patient, part in zip(data.patient, data.part, strict=True):
        sides.setdefault(patient, set()).add(part)
    assert all(len(parts) == 1 for parts in sides.values())
    assert 0.6 < len(data.of("train")) / 600 < 0.8 and len(data.of("valid")) and len(data.of("test"))
    assert not find_leaks(data).rows(data)


def test_leaks_are_found_and_taken_out(table: Path) -> None:
    rows = rows_of(table)
    for k, row in enumerate(rows):
        row["split"] = "train" if k < 400 else "valid" if k < 480 else "test"
        row["source"] = "clinic" if row["label"] == "disc" else "ward"
    rows[500]["patient"] = rows[0]["patient"]
    folder = table.parent
    bright = np.asarray(Image.open(folder / "10.png")).astype(int) + 9
    Image.fromarray(np.clip(bright, 0, 255).astype(np.uint8)).save(folder / "520.png")
    data = read_labelled(csv_of(table, rows))
    leaks = find_leaks(data)
    assert [data.files[k] for k in leaks.twins] == ["520.png"]
    assert rows[0]["patient"] in leaks.patients
    assert leaks.giveaways["source"][0] > 0.99
    clean = without(data, leaks)
    assert "520.png" not in clean.files and "500.png" not in clean.files
    assert {one["kind"] for one in leaks.rows(data)} == {"near-duplicates", "same patient on both sides", "giveaway"}


@pytest.mark.parametrize("method", ["cnn", "probe"])
def test_a_model_learns_and_is_described(table: Path, settings: Settings, method) -> None:
    heard = []
    card = train(read_labelled(table), f"discs-{method}", settings, method, "CC0", 0, lambda *said: heard.append(said))
    assert card.auroc > 0.9 and card.auroc_interval[0] > 0.8 and card.usable
    assert heard[-1][0] == heard[-1][1] and cards(settings) == [card]
    text = (settings.home / "imaging" / card.name / "MODEL_CARD.md").read_text()
    assert "AUROC" in text and "by patient" in text and "CC0" in text
    with pytest.raises(InputError, match="of this name"):
        train(read_labelled(table), card.name, settings, method, None, 0, lambda *_: None)
    model = load(card.name, settings)
    pixels, labels = discs(60, seed=9)
    said = [predict(model, parse_picture(png(one), "x"), settings) for one in pixels]
    named = [(one.label, truth) for one, truth in zip(said, labels, strict=True) if one.label]
    assert len(named) > 40 and sum((label == "disc") == bool(truth) for label, truth in named) / len(named) > 0.8
    kept = Ledger.open(settings).payload(said[0].trace)
    assert kept["what"] == "predict" and kept["said"]["digest"] == card.digest


def test_pictures_unlike_the_learned_get_no_answer(table: Path, settings: Settings) -> None:
    train(read_labelled(table), "discs", settings, "cnn", None, 0, lambda *_: None)
    model = load("discs", settings)
    checks = (np.indices((24, 24)).sum(0) % 2 * 255).astype(np.uint8)
    said = predict(model, parse_picture(png(checks), "x"), settings)
    assert said.label is None and said.chances == {} and "unlike" in said.why
    pixels, labels = discs(8, seed=4)
    heat = saliency(model, parse_picture(png(pixels[int(np.flatnonzero(labels)[0])]), "x"))
    assert heat.shape == (24, 24) and heat.max() == 1.0 and heat.min() >= 0


def test_labels_that_mean_nothing_make_no_model_for_use(table: Path, settings: Settings) -> None:
    rows = rows_of(table)
    for row, label in zip(rows, np.random.default_rng(5).permutation([row["label"] for row in rows]), strict=True):
        row["label"] = str(label)
    card = train(read_labelled(csv_of(table, rows)), "luck", settings, "cnn", None, 0, lambda *_: None)
    assert card.auroc_interval[0] < 0.5 < card.auroc_interval[1] or card.auroc < 0.65
    if not card.usable:
        picture = parse_picture((table.parent / "0.png").read_bytes(), "x")
        assert predict(load("luck", settings), picture, settings).label is None


def test_changed_weights_are_refused(table: Path, settings: Settings) -> None:
    train(read_labelled(table), "discs", settings, "probe", None, 0, lambda *_: None)
    path = settings.home / "imaging" / "discs" / "weights.pt"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(IntegrityError):
        load("discs", settings)
    with pytest.raises(MissingComponent, match="Models: discs"):
        load("other", settings)


def test_folders_and_npz(tmp_path: Path, shared: Path) -> None:
    pixels, labels = discs(120)
    for k, (picture, label) in enumerate(zip(pixels, labels, strict=True)):
        folder = tmp_path / "f" / ("disc" if label else "none")
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / f"{k}.png")
    data = read_labelled(tmp_path / "f")
    assert not data.named and data.labels == ("disc", "none") and len(data.files) == 120
    assert any(row["kind"] == "patients not known" for row in find_leaks(data).rows(data))
    medical = read_labelled(shared / "images" / "pneumoniamnist.npz")
    assert counts(medical, medical.of("test")) == {"0": 234, "1": 390}
    assert isinstance(medical, Labelled) and medical.pixels.shape == (5856, 28, 28, 1)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([{"file": "0.png"}], "no column label"),
        ([{"file": "0.png", "label": "a"}] * 30, "1 labels"),
        ([{"file": "0.png", "label": "a"}] * 30 + [{"file": "0.png", "label": "b"}], "fewer than 20"),
        ([{"file": "none.png", "label": "a"}], r"line 2, none\.png: can't be read"),
        ([{"file": "0.png", "label": ""}], "line 2: a picture needs"),
        ([{"file": "0.png", "label": "a", "split": "later"}], "line 2: the split"),
    ],
)
def test_bad_tables_are_named(tmp_path: Path, rows: list[dict[str, str]], why: str) -> None:
    Image.fromarray(discs(1)[0][0]).save(tmp_path / "0.png")
    with pytest.raises(InputError, match=why):
        read_labelled(csv_of(tmp_path / "labels.csv", rows))


def test_the_commands(table: Path, home: Path) -> None:
    run = CliRunner().invoke
    made = run(cli, ["imaging", "train", str(table), "--to", "discs", "--method", "probe", "--json"])
    assert made.exit_code == 0, made.output
    assert json.loads(made.output)["auroc"] > 0.9
    said = run(
        cli, ["imaging", "predict", "discs", str(table.parent / "0.png"), "--saliency", str(table.parent / "s.png")]
    )
    assert said.exit_code == 0 and "for professional review" in said.output
    assert Image.open(table.parent / "s.png").size[0] >= 400
    assert (
        "AUROC" in run(cli, ["imaging", "models"]).output and "# discs" in run(cli, ["imaging", "card", "discs"]).output
    )
