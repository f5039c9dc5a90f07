"""Gathers what the workbench says, and compiles its translations.

    python scripts/build_messages.py

Reads the pages and modules of `src/osler/server`, updates `locale/LANGUAGE/LC_MESSAGES/messages.po` (new messages come
without a translation, gone ones are taken out) and writes `messages.mo` beside it. Prints what has no translation yet.
"""

from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

SERVER = Path(__file__).parents[1] / "src" / "osler" / "server"
LANGUAGES = {"zh": "Chinese"}
READERS = [("pages/**.html", "jinja2"), ("**.py", "python")]
OPTIONS = {"pages/**.html": {"trimmed": "true", "silent": "false"}}
MADE = datetime(2026, 11, 23, tzinfo=UTC)  # no clock in the files: the same messages make the same bytes


def messages() -> Catalog:
    """All messages of the workbench with their places."""
    found = Catalog(project="Osler", creation_date=MADE, fuzzy=False)
    for file, line, message, comments, context in extract_from_dir(str(SERVER), READERS, OPTIONS):
        found.add(message, locations=[(file, line)], auto_comments=comments, context=context)
    return found


def translation(language: str) -> Catalog:
    path = file_of(language)
    if not path.exists():
        return Catalog(language, project="Osler", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, language)


def file_of(language: str) -> Path:
    return SERVER / "locale" / language / "LC_MESSAGES" / "messages.po"


def main() -> None:
    for language in LANGUAGES:
        catalog = translation(language)
        catalog.update(messages(), no_fuzzy_matching=True)
        catalog.obsolete.clear()
        catalog.header_comment = f"# The workbench in {LANGUAGES[language]}."
        catalog.creation_date = catalog.revision_date = MADE
        catalog.last_translator = catalog.language_team = "Osler"
        file_of(language).parent.mkdir(parents=True, exist_ok=True)
        with file_of(language).open("wb") as file:
            write_po(file, catalog, omit_header=False, width=120, sort_output=True, include_lineno=False)
        with file_of(language).with_suffix(".mo").open("wb") as file:
            write_mo(file, catalog)
        missing = [message.id for message in catalog if message.id and not message.string]
        print(f"{language}: {len(catalog)} messages, {len(missing)} without a translation")
        for message in missing:
            print(f"  {message}")


if __name__ == "__main__":
    main()
