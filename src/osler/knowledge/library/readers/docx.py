"""DOCX by python-docx: headings become sections, tables rows of cells. It leaves out headers, footers and comments."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from osler.errors import InputError
from osler.knowledge.library.documents import RAISED, Headings, Item, Part, flat, whole

MAX_UNPACKED = 400 * 2**20
MAX_RATIO = 200  # unpacked to packed; prose packs about five to one
_HEADING = re.compile(r"(?:heading|标题|überschrift|titre|título)\s*(\d)", re.IGNORECASE)


def read_docx(path: Path) -> Iterator[Item]:
    _check_archive(path)
    import docx
    from docx.opc.exceptions import PackageNotFoundError
    from docx.table import Table
    from lxml import etree  # type: ignore[import-untyped]

    try:
        document = docx.Document(str(path))
        blocks: list[Any] = list(document.iter_inner_content())
    except (PackageNotFoundError, etree.LxmlError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise InputError(f"is a damaged DOCX ({error})", where=str(path)) from None
    headings = Headings()
    parts: list[Part] = []
    lines: list[str] = []
    title = (document.core_properties.title or "").strip()

    def close() -> None:
        parts.append(Part(headings.path, "\n\n".join(line for line in lines if line)))
        lines.clear()

    for block in blocks:
        if isinstance(block, Table):
            lines.append("\n".join(_row(row) for row in block.rows))
            continue
        style = (block.style.name or "") if block.style is not None else ""
        level = _HEADING.match(style)
        if level or style.lower() == "title":
            close()
            headings.enter(int(level[1]) if level else 0, block.text)
            title = title or block.text.strip()
        else:
            lines.append(_paragraph(block))
    close()
    yield whole(path, "a DOCX", title, parts)


def _paragraph(paragraph: Any) -> str:
    """Its lines, hyperlinks included."""
    runs = (f"{RAISED if _superscript(run) else ''}{run.text}" for run in paragraph.iter_inner_content())
    return "\n".join(line for line in (flat([line]) for line in "".join(runs).split("\n")) if line)


def _superscript(run: Any) -> bool:
    return bool(hasattr(run, "font") and run.font.superscript)


def _row(row: Any) -> str:
    cells: list[str] = []
    for cell in row.cells:
        text = flat(_paragraph(paragraph) + " " for paragraph in cell.paragraphs)
        if text and (not cells or cells[-1] != text):  # a merged cell is listed once for each column it spans
            cells.append(text)
    return " | ".join(cells)


def _check_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise InputError(f"is a damaged DOCX ({error})", where=str(path)) from None
    if "word/document.xml" not in names:
        raise InputError("is a ZIP archive, but not a DOCX", where=str(path), hint="Unpack it and ingest the folder.")
    if unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * max(path.stat().st_size, 4096):
        raise InputError(f"unpacks to {unpacked / 2**20:.0f} MB: not read", where=str(path))
