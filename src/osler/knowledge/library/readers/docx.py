"""DOCX by python-docx: headings become sections, tables rows of cells. It leaves out headers, footers and comments."""

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from osler.errors import InputError
from osler.knowledge.library.documents import SUP, Block, Item, flat, table, whole
from osler.knowledge.library.readers.files import contents

MAX_UNPACKED = 400 * 2**20
MAX_RATIO = 200  # unpacked to packed; prose packs about five to one
_HEADING = re.compile(r"(?:heading|标题|überschrift|titre|título)\s*(\d)", re.IGNORECASE)


def read_docx(path: Path, stream: IO[bytes]) -> Iterator[Item]:
    import docx
    from docx.opc.exceptions import PackageNotFoundError
    from lxml import etree  # type: ignore[import-untyped]

    data = contents(path, stream)
    try:
        _check_archive(data, str(path))
        document = docx.Document(io.BytesIO(data))
        blocks = [_block(part) for part in document.iter_inner_content()]
    except (PackageNotFoundError, etree.LxmlError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise InputError(f"is a damaged DOCX ({error})", where=str(path)) from None
    heading = next((block.text.strip() for block in blocks if block.level is not None and block.text.strip()), None)
    title = (document.core_properties.title or "").strip() or heading or path.stem
    yield whole(str(path), title, blocks)


def _check_archive(data: bytes, where: str) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
        if "word/document.xml" not in archive.namelist():
            raise InputError("is a ZIP archive, but not a DOCX", where=where, hint="Unpack it and ingest the folder.")
    if unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * max(len(data), 4096):
        raise InputError(f"unpacks to {unpacked / 2**20:.0f} MB: not read", where=where)


def _block(part: Any) -> Block:
    if hasattr(part, "rows"):
        return Block(table(_cells(row) for row in part.rows))
    style = (part.style.name or "") if part.style is not None else ""
    if heading := _HEADING.match(style):
        return Block(part.text, int(heading[1]))
    return Block(part.text, 0) if style.lower() == "title" else Block(_lines(part))


def _lines(paragraph: Any) -> str:
    """Its lines, hyperlinks included."""
    runs = (f"{SUP if _superscript(run) else ''}{run.text}" for run in paragraph.iter_inner_content())
    return "\n".join(line for line in (flat([line]) for line in "".join(runs).split("\n")) if line)


def _superscript(run: Any) -> bool:
    return bool(hasattr(run, "font") and run.font.superscript)


def _cells(row: Any) -> list[str]:
    cells: list[str] = []
    for cell in row.cells:
        text = flat(_lines(paragraph) + " " for paragraph in cell.paragraphs)
        if text and (not cells or cells[-1] != text):  # a merged cell is listed once for each column it spans
            cells.append(text)
    return cells
