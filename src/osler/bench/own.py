"""A user's own multiple-choice task: a YAML file with lm-evaluation-harness' keys, or a plain JSON Lines file.

Of the harness it takes what poses a question: `task`, `dataset_path` (`json` with `dataset_kwargs.data_files`, or the
name of a Hugging Face data set), `dataset_name`, `test_split` or `validation_split`, `doc_to_text`, `doc_to_choice`,
`doc_to_target`, `description`. Templates are Jinja, sandboxed. A key that would change what is measured and is not
known here is refused. A JSON Lines file has `question`, `options` and `answer` (key, text or number from 0).
"""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
from jinja2.sandbox import SandboxedEnvironment

from osler.bench.choice import ChoiceTask, Item, posed
from osler.bench.task import rows
from osler.errors import InputError, MissingComponent
from osler.text import language_of

NEEDED = ("task", "dataset_path", "doc_to_text", "doc_to_choice", "doc_to_target")
TAKEN = {*NEEDED, "dataset_name", "dataset_kwargs", "test_split", "validation_split", "description", "output_type"}
HARMLESS = {"tag", "group", "metadata", "metric_list", "repeats", "training_split", "fewshot_split", "fewshot_config"}
HARMLESS |= {"target_delimiter", "task_alias", "num_fewshot", "should_decontaminate", "doc_to_decontamination_query"}
PLAIN = {"doc_to_text": "question", "doc_to_choice": "options", "doc_to_target": "answer"}
MOST = 10  # options, A to J


class OwnTask(ChoiceTask):
    """All its items are of the report part: nobody but its owner knows what was tuned on it."""

    licence = "its owner's"
    undivided = True

    def __init__(self, source: Path, keys: dict[str, Any]) -> None:
        self.name, self.about, self.path = str(keys["task"]), f"own task of {source.name}", str(source)
        self.source, self.keys = str(source), keys
        self.prompts = (ChoiceTask.prompts, {key: keys[key] for key in sorted(TAKEN & keys.keys())})

    def read(self, path: Path) -> Iterator[Item]:
        for number, row in enumerate(self._rows(path), start=1):
            yield self._item(row, number, f"{path}, item {number}")

    def _rows(self, path: Path) -> Iterator[dict[str, Any]]:
        name, kwargs = self.keys["dataset_path"], self.keys.get("dataset_kwargs") or {}
        wanted = self.keys.get("test_split") or self.keys.get("validation_split") or "test"
        if name != "json":
            yield from _downloaded(str(name), self.keys.get("dataset_name"), str(wanted))
            return
        files = kwargs.get("data_files")
        files = files.get(wanted) if isinstance(files, dict) else files
        if not files:
            raise InputError(f"`dataset_kwargs.data_files` names no file for the split {wanted!r}", where=str(path))
        for file in [files] if isinstance(files, str) else files:
            found = path.parent / file
            if not found.is_file():
                raise InputError("the data file is not there", where=str(found))
            yield from rows(found)

    def _item(self, row: dict[str, Any], number: int, where: str) -> Item:
        text, choices, target = (_value(self.keys[key], row, where) for key in NEEDED[2:])
        if isinstance(choices, str):
            choices = _literal(choices)
        if not isinstance(choices, list | dict) or not 2 <= len(choices) <= MOST:
            raise InputError(f"`doc_to_choice` must give 2 to {MOST} options, not {choices!r}", where=where)
        options, answer = posed(choices, target)
        if answer is None:
            raise InputError(f"`doc_to_target` gives {target!r}, which is none of the options", where=where)
        question = f"{self.keys.get('description') or ''}{text}".strip()
        if not question:
            raise InputError("`doc_to_text` gives an empty question", where=where)
        identifier = str(row.get("id", number))
        return Item(identifier, identifier, question, options, answer, language=language_of(question))


def own_task(path: Path) -> OwnTask:
    """The task of a YAML or JSON Lines file. Raises InputError naming file and key for what can't be taken."""
    path = path.absolute()
    if not path.is_file():
        raise InputError("the task file is not there", where=str(path))
    if path.suffix not in (".yaml", ".yml"):
        data = {"dataset_path": "json", "dataset_kwargs": {"data_files": path.name}}
        return OwnTask(path, {"task": path.name.partition(".")[0], **data, **PLAIN})
    import yaml

    try:
        keys = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        hint = "Python functions (!function) and includes are not taken." if "!function" in str(error) else None
        raise InputError(f"not valid YAML: {' '.join(str(error).split())}", where=str(path), hint=hint) from None
    if not isinstance(keys, dict):
        raise InputError("the task file must be a mapping of keys", where=str(path))
    missing = [key for key in NEEDED if keys.get(key) in (None, "")]
    kind = keys.get("output_type", "multiple_choice")
    unknown = sorted(map(str, keys.keys() - TAKEN - HARMLESS))
    for wrong, said in (
        (missing, f"missing {', '.join(missing)}"),
        (kind != "multiple_choice", f"output_type {kind!r} is not taken; only multiple_choice"),
        (keys.get("num_fewshot"), "num_fewshot above 0 is not taken; a few-shot method is a method"),
        (unknown, f"these keys are not taken: {', '.join(unknown)}"),
    ):
        if wrong:
            raise InputError(said, where=str(path))
    return OwnTask(path, keys)


def _value(template: Any, row: dict[str, Any], where: str) -> Any:
    """A template's value for a row: a field by its name, a Jinja text, or what the YAML gives itself."""
    if not isinstance(template, str):
        return template
    if template in row:
        return row[template]
    try:
        return _compiled(template).render(**row)
    except (jinja2.TemplateError, TypeError, ValueError) as error:
        raise InputError(f"the template {template!r} fails: {error}", where=where) from None


@functools.cache
def _compiled(template: str) -> jinja2.Template:
    return SandboxedEnvironment(undefined=jinja2.StrictUndefined).from_string(template)


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _downloaded(name: str, configuration: str | None, part: str) -> Iterator[dict[str, Any]]:
    try:
        from datasets import load_dataset  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        hint = "Run: pip install 'osler[train]', or give `dataset_path: json` with a file."
        raise MissingComponent("the package datasets is not installed", where=name, hint=hint) from None
    try:
        yield from load_dataset(name, configuration, split=part)
    except Exception as error:  # whatever network and hub raise
        raise MissingComponent(f"the data set can't be loaded: {error}", where=name) from None
