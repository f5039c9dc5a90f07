"""`osler imaging`: pictures and ECGs: look, measure, learn from labels, ask a vision model where one is configured."""

from pathlib import Path
from typing import Any

import click

from osler.cli.options import common, output, print_json, say, signed
from osler.errors import InputError
from osler.settings import Settings

TO = click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write a PNG here.")
FRAME = click.option("--frame", type=click.IntRange(min=0), default=0, show_default=True)


@click.group()
def command() -> None:
    """Pictures and ECGs: look, measure, learn from labels."""


@command.command()
@click.argument("file")
@click.option("--window", metavar="CENTRE,WIDTH", help="In the picture's units; default: the file's own.")
@FRAME
@TO
@common
def show(file: str, window: str | None, frame: int, target: Path | None, json_out: bool, settings: Settings) -> None:
    """What FILE (DICOM, PNG, JPEG, or a folder with series) holds; `--to` draws a frame."""
    from osler.imaging.pictures import png, preview, read_picture, read_series

    if Path(file).is_dir():
        series = read_series(file)
        pictures, skipped = series.pictures, series.skipped
    else:
        pictures, skipped = [read_picture(file)], []
    if target is not None:
        if len(pictures) != 1:
            raise InputError(f"{len(pictures)} pictures; one can be drawn", where=file, hint="Name one file.")
        _write(target, png(preview(pictures[0], frame, _window(window))))
    rows = [{"file": name, "why": why} for name, why in skipped]
    output(json_out, {"pictures": [one.summary() for one in pictures], "skipped": rows}, "pictures")


@command.command()
@click.argument("file")
@common
def ecg(file: str, json_out: bool, settings: Settings) -> None:
    """Rate, rhythm and intervals of FILE: a WFDB header (.hea) or a DICOM waveform. It reads no morphology."""
    from osler.imaging.ecg import measure, read_ecg
    from osler.ledger import Ledger

    reading = measure(read_ecg(file))
    entry = Ledger.open(settings).append("imaging", {"what": "ecg", "reading": reading._asdict()})
    output(json_out, reading._asdict() | {"trace": entry.id, "review": "for professional review"}, "ecg")


@command.command()
@click.argument("data")
@click.option("--to", "name", required=True, help="The model's name.")
@click.option("--method", type=click.Choice(["cnn", "probe"]), default="cnn", show_default=True)
@click.option("--licence", help="Of the pictures; kept in the model card.")
@click.option("--seed", type=int, default=0, show_default=True)
@common
def train(
    data: str, name: str, method: Any, licence: str | None, seed: int, json_out: bool, settings: Settings
) -> None:
    """Learn to tell labels apart from DATA: a folder with a folder a label, a CSV (file, label, and if known patient,
    split, source, view), or an npz as MedMNIST's. Leaks are looked for first, and what they touch is taken out."""
    from osler.cli.progress import progress
    from osler.imaging.learning.labelled import read_labelled
    from osler.imaging.learning.model import train as trained

    with progress(f"train {name}") as report:
        watch = lambda done, total, loss: report(done, total, f"{name}: loss {loss:.3f}")  # noqa: E731
        card = trained(read_labelled(data), name, settings, method, licence, seed, watch)
    output(json_out, card, "image_model")


@command.command()
@click.argument("name")
@click.argument("files", nargs=-1, required=True)
@FRAME
@click.option("--saliency", "target", type=click.Path(path_type=Path, dir_okay=False),
              help="Draw what mattered (of one picture).")  # fmt: skip
@common
def predict(
    name: str, files: tuple[str, ...], frame: int, target: Path | None, json_out: bool, settings: Settings
) -> None:
    """What the model NAME says of pictures: its own labels, with calibrated chances, or nothing."""
    from osler.imaging.learning.model import load, overlay
    from osler.imaging.learning.model import predict as said
    from osler.imaging.pictures import png, read_picture

    model = load(name, settings)
    pictures = [read_picture(file) for file in files]
    if target is not None:
        if len(pictures) != 1:
            raise InputError("--saliency draws one picture", hint="Name one file.")
        _write(target, png(overlay(model, pictures[0], frame)))
    found = [said(model, one, settings, frame) for one in pictures]
    output(json_out, [one._asdict() for one in found], "image_said")


@command.command()
@common
def models(json_out: bool, settings: Settings) -> None:
    """The image models of this home, with what they were measured to be."""
    from osler.imaging.learning.model import cards

    output(json_out, cards(settings), "image_models")


@command.command()
@click.argument("name")
@common
def card(name: str, json_out: bool, settings: Settings) -> None:
    """The model card of NAME."""
    from osler.imaging.learning.model import load, markdown

    found = load(name, settings).card
    print_json(found) if json_out else click.echo(markdown(found))


@command.command()
@click.argument("file")
@click.argument("question")
@FRAME
@common
def ask(file: str, question: str, frame: int, json_out: bool, settings: Settings) -> None:
    """Ask the vision-language model that `models.vision` names about FILE."""
    from osler.imaging.pictures import read_picture
    from osler.imaging.questions import ask as asked

    output(json_out, asked(read_picture(file), question, settings, frame)._asdict(), "image_answer")


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@signed
@common
def confirm(file: Path, by: str, reason: str, json_out: bool, settings: Settings) -> None:
    """Say that FILE, which `osler deid` made, was looked at and its pixels name nobody: it is marked so, in place."""
    import hashlib

    from osler.imaging.burned import confirm as confirmed
    from osler.ledger import Ledger

    before = file.read_bytes()
    data = confirmed(before, str(file))
    shas = {"before": hashlib.sha256(before).hexdigest(), "after": hashlib.sha256(data).hexdigest()}
    said = {"what": "confirm", **shas, "by": by, "reason": reason}
    entry = Ledger.open(settings).append("imaging", said)
    _write(file, data)
    say(json_out, said | {"trace": entry.id}, f"{file}: marked as clean pixels by {by} (ledger {entry.id})")


def _window(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        centre, width = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"a window is CENTRE,WIDTH, not {text!r}") from None
    if width < 1:
        raise InputError(f"a window is at least 1 wide, not {width:g}")
    return centre, width


def _write(target: Path, data: bytes) -> None:
    from osler.models.files import write_atomically

    try:
        write_atomically(target, data)
    except OSError as error:
        raise InputError(f"can't be written: {error.strerror}", where=str(target)) from None
