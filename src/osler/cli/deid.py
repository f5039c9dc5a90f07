"""`osler deid`: identifiers out of text, FHIR, CSV, DICOM files and pictures, and back in."""

import json
from pathlib import Path
from typing import Any

import click

from osler.cli.options import as_jsonl, common, print_json, run_batch, text_field
from osler.errors import InputError
from osler.nouns import dump
from osler.settings import Settings


@click.command()
@click.argument("file")
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write here; default: output.")
@click.option("--policy", default="safe-harbor", metavar="NAME|FILE", show_default=True, help="What is done by kind.")
@click.option("--patient", default="", metavar="ID", help="Whose text it is: surrogates and shifts go by patient.")
@click.option("--keep", is_flag=True, help="Keep the way back, sealed, and queue doubtful spans for review.")
@click.option("--restore", metavar="ID", help="Put the originals kept under ID back into FILE.")
@as_jsonl
@common
def command(
    file: str,
    target: Path | None,
    policy: str,
    patient: str,
    keep: bool,
    restore: str | None,
    json_out: bool,
    jsonl_out: bool,
    settings: Settings,
) -> int:
    """Take the identifiers out of FILE: plain text, FHIR, CSV, DICOM, PNG, JPEG, or lines of {"id", "text"} (--jsonl).

    Policies: safe-harbor, limited-data-set, strict, research-dates-kept, research-dates-shifted, or a TOML file
    (docs/deidentification.md). benchmarks/deid.md says what is found and what is missed: review before text leaves.
    """
    from osler.privacy import deid
    from osler.privacy.policy import load_policy
    from osler.record.source import load

    chosen = load_policy(policy)

    def masking(subject: str = patient, keyed: bool = chosen.keyed) -> deid.Deidentifier:
        return deid.Deidentifier(policy=chosen, key=_key(settings) if keyed else b"", subject=subject)

    def masked(text: str, subject: str = patient) -> dict[str, Any]:
        one = masking(subject)
        found = one.mask(text)
        result = {"text": found.text, "spans": dump(found.spans)}
        if keep:
            store = _keeping(settings)
            result["mapping"] = store.keep_mapping(one.mapping, subject)
            result["review"] = store.queue(text, found.spans, subject)
        return result

    if jsonl_out:
        return run_batch(
            file, ("id", "text"), lambda row: masked(text_field(row, "text"), str(row.get("patient") or patient))
        )
    data = load(file)
    if restore is not None:
        _write(deid.restore(_decoded(data, file), _keeping(settings).mapping(restore)).encode(), target)
        return 0
    if data[128:132] == b"DICM":
        return _dicom(data, masking(keyed=True), target, file, _key(settings))
    if data.startswith((b"\x89PNG", b"\xff\xd8\xff")):
        return _picture(data, target, file)
    text = _decoded(data, file)
    if text.lstrip().startswith(("{", "[")):
        return _fhir(text, masking(keyed=True), target, file)
    if file.lower().endswith((".csv", ".tsv")):
        from osler.privacy.table import deidentify

        patients: dict[str, deid.Deidentifier] = {}

        def of(subject: str) -> deid.Deidentifier:
            return patients.setdefault(subject, masking(subject or patient))

        _write(deidentify(text, of, file).encode(), target)
        return 0
    result = masked(text)
    if json_out:
        print_json(result)
        return 0
    _write(result["text"].encode(), target)
    if target is not None:
        click.echo(f"osler: {len(result['spans'])} identifiers replaced; review before the text leaves", err=True)
    if keep:
        click.echo(f"osler: the way back is kept as {result['mapping']}; {len(result['review'])} to review", err=True)
    return 0


def _fhir(text: str, masking: Any, target: Path | None, file: str) -> int:
    from osler.privacy.fhir import deidentify

    try:
        document = json.loads(text)
    except ValueError as error:
        hint = "Lines of {id, text} go through --jsonl."
        raise InputError(f"this looks like JSON but isn't: {error}", where=file, hint=hint) from None
    if not isinstance(document, dict) or "resourceType" not in document:
        hint = "Lines of {id, text} go through --jsonl."
        raise InputError("this JSON is no FHIR resource: it has no resourceType", where=file, hint=hint)
    _write((json.dumps(deidentify(document, masking), ensure_ascii=False, indent=2) + "\n").encode(), target)
    return 0


def _dicom(data: bytes, masking: Any, target: Path | None, file: str, key: bytes) -> int:
    from osler.imaging import burned
    from osler.privacy.dicom import deidentify

    result = deidentify(data, masking, key, file)
    click.echo(f"osler: {result.changed} elements removed or replaced", err=True)
    if result.warning is None or not burned.available():
        _write(result.data, _elsewhere(target, file))
        if result.warning:
            click.echo(f"osler: {result.warning}", err=True)
        return 0
    return _picture(result.data, target, file)


def _picture(data: bytes, target: Path | None, file: str) -> int:
    from osler.imaging.burned import mask

    target = _elsewhere(target, file)
    masked = mask(data, file)
    _write(masked.data, target)
    frames = len({one.frame for one in masked.regions})
    found = f"text painted over in {len(masked.regions)} places of {frames} frames" if frames else "no text found"
    click.echo(f"osler: {found} in the pixels; look at it before it leaves", err=True)
    if data[128:132] == b"DICM":
        click.echo(
            f"osler: once it is seen to be clean: osler imaging confirm {target} --by NAME --reason TEXT", err=True
        )
    return 0


def _elsewhere(target: Path | None, file: str) -> Path:
    if target is None:
        raise InputError("a picture is not written to the terminal", where=file, hint="Say where with --to.")
    return target


def _decoded(data: bytes, file: str) -> str:
    from osler.record.source import decode

    return decode(data, file)


def _write(data: bytes, target: Path | None) -> None:
    if target is None:
        click.echo(data, nl=False)
        return
    from osler.models.files import write_atomically

    try:
        write_atomically(target, data)
    except OSError as error:
        raise InputError(f"can't be written: {error.strerror}", where=str(target)) from None


def _key(settings: Settings) -> bytes:
    """The key surrogates are drawn by: this home's own, so that another home draws others."""
    from osler.ledger.vault import Vault

    return bytes.fromhex(Vault(settings.home / "keys").pseudonym("deidentification"))


def _keeping(settings: Settings) -> Any:
    from osler.ledger.vault import Vault
    from osler.privacy.keeping import Keeping
    from osler.storage import open_database

    return Keeping(open_database(settings), Vault(settings.home / "keys"))
