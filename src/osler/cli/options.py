"""Options that every command shares, and what they turn into: settings, JSON on standard output, batches.

It does not know any command.
"""

import functools
import getpass
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import click
import orjson

from osler.errors import InputError, OslerError
from osler.nouns import dump
from osler.settings import load_settings

MAX_LINE = 16 * 1024 * 1024


def with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--home`, `--config` and `--model`, and hand the command the settings in force as `settings`."""

    @click.option("--home", type=click.Path(path_type=Path, file_okay=False), help="Where all state lives.")
    @click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="Read only this settings file.")
    @click.option("--model", metavar="SPEC", help="smollm2, adapter:NAME, gguf:PATH or openai:URL#NAME.")
    @functools.wraps(command)
    def wrapped(*args: Any, home: Path | None, config: Path | None, model: str | None, **kwargs: Any) -> Any:
        if home is not None:
            os.environ["OSLER_HOME"] = str(home)  # for what asks for the settings in force by itself
        settings = load_settings({"models.language": model}, config=config)
        return command(*args, settings=settings, **kwargs)

    return wrapped


as_json = click.option("--json", "json_out", is_flag=True, help="One JSON document on standard output.")
as_jsonl = click.option("--jsonl", "jsonl_out", is_flag=True, help="Batch: one JSON document a line.")


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--json` and the options of `with_settings`: a command gets `json_out` and `settings`."""
    return as_json(with_settings(command))


def signed(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--by` and `--reason` of what a named person decides."""
    command = click.option("--reason", required=True, help="Why (kept in the ledger).")(command)
    return click.option("--by", required=True, help="Who decides it (kept in the ledger).")(command)


def system_user() -> str:
    """Who runs the command, by the operating system (kept in the ledger)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"user {os.getuid()}"


def print_json(value: Any) -> None:
    click.echo(orjson.dumps(dump(value), option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode())


def output(json_out: bool, document: Any, page: str, **values: Any) -> None:
    """Print a document: as JSON, or as the page `pages/PAGE.jinja` makes of it (there: `it`) and of further values."""
    if json_out:
        print_json(document)
    else:
        from osler.cli.show import show_page

        show_page(page, it=document, **values)


def say(json_out: bool, document: Any, sentence: str) -> None:
    """Print a document as JSON, or the one sentence there is to say of it."""
    if json_out:
        print_json(document)
    else:
        click.echo(sentence)


def write(target: Path, text: str) -> None:
    """A whole file or none. Raises InputError where it can't be written."""
    write_file(target, text.encode())


def write_file(target: Path, content: bytes) -> None:
    """The same for bytes."""
    from osler.models.files import write_atomically

    try:
        write_atomically(target, content)
    except OSError as error:
        raise InputError(f"can't be written: {error.strerror}", where=str(target)) from None


def print_line(value: Any) -> None:
    click.echo(orjson.dumps(dump(value)).decode())


def rows(path: str, required: Iterable[str]) -> Iterator[tuple[dict[str, Any], OslerError | None]]:
    """The objects of a JSON Lines file in order, each with the error that makes it unusable, if any."""
    name = "standard input" if path == "-" else path
    with _open(path) as lines:
        for number, raw in enumerate(lines, start=1):
            if raw.strip():
                where = f"{name}, line {number}"
                row, wrong = _parsed(raw, required)
                yield {"id": None, **row, "where": where}, InputError(wrong, where=where) if wrong else None


def _parsed(raw: bytes, required: Iterable[str]) -> tuple[dict[str, Any], str | None]:
    """A line's object, empty if it has none, and what is wrong with it."""
    if len(raw) > MAX_LINE:
        return {}, f"the line is longer than {MAX_LINE:,} bytes"
    try:
        row = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        return {}, f"not valid JSON: {error}"
    if not isinstance(row, dict):
        return {}, "the line is not a JSON object"
    missing = [key for key in required if key not in row]
    return row, f"missing field {', '.join(missing)}" if missing else None


def _open(path: str) -> AbstractContextManager[BinaryIO]:
    if path == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise InputError(f"the file can't be read: {error.strerror}", where=path) from None


def text_field(row: dict[str, Any], field: str) -> str:
    """The row's text field. Raises InputError if it is anything else or empty."""
    value = row[field]
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"`{field}` must be a text that is not empty", where=row.get("where"))
    return value


def list_field(row: dict[str, Any], field: str) -> list[str]:
    """The row's list of texts, empty if absent. Raises InputError if it is anything else."""
    value = row.get(field) or []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InputError(f"`{field}` must be a list of texts", where=row.get("where"))
    return value


def run_batch(path: str, required: Iterable[str], answer: Callable[[dict[str, Any]], dict[str, Any]]) -> int:
    """Answer each line on standard output; a bad line becomes an error row and the run goes on. The exit code."""
    failed = 0
    for row, fault in rows(path, required):
        try:
            if fault is not None:
                raise fault
            result = {"id": row.get("id"), **answer(row)}
        except OslerError as error:
            located = error if error.where else type(error)(error.message, where=row.get("where"), hint=error.hint)
            result = {"id": row.get("id"), "error": located.as_row()}
            failed += 1
        print_line(result)
    if failed:
        click.echo(f"osler: {failed} line(s) could not be answered; see their `error`.", err=True)
    return 1 if failed else 0
