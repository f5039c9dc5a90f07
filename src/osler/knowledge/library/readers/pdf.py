"""PDF by pdfium: the text of each page with its page number. It does not read images: a scan has no text."""

import contextlib
import re
import statistics
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from osler.errors import InputError
from osler.knowledge.library.documents import Block, Item, whole
from osler.knowledge.library.readers.files import contents

MAX_PAGES = 20_000
_LOCK = threading.Lock()  # pdfium is not thread-safe
_BULLET = re.compile(r"\s*(?:[-*•·–▪]|\(?\d{1,2}[.)])\s")
_END = re.compile(r"[.!?:;。！？；：]['\")\]”’]*$")
_CJK_END = re.compile(r"[\u3400-\u9fff，、]$")


def read_pdf(path: Path, stream: IO[bytes]) -> Iterator[Item]:
    import pypdfium2  # type: ignore[import-untyped]
    import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

    data = contents(path, stream)
    try:
        with _LOCK, contextlib.closing(pypdfium2.PdfDocument(data)) as document:
            if len(document) > MAX_PAGES:
                raise InputError(f"has more than {MAX_PAGES} pages", where=str(path))
            pages = []
            for number in range(len(document)):
                with contextlib.closing(document[number]) as page:
                    pages.append(Block(unwrap(page.get_textpage().get_text_bounded()), page=number + 1))
            title = " ".join((document.get_metadata_value("Title") or "").split())
    except pypdfium2.PdfiumError as error:
        locked = getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD or "assword" in str(error)
        why = "is encrypted" if locked else f"is a damaged PDF ({error})"
        hint = "Save a copy without a password." if locked else None
        raise InputError(why, where=str(path), hint=hint) from None
    if not any(page.text.strip() for page in pages):
        why, hint = f"a PDF without text ({len(pages)} pages)", "It is a scan: recognise its text first."
        raise InputError(why, where=str(path), hint=hint)
    yield whole(str(path), title or path.stem, pages)


def unwrap(page: str) -> str:
    """The lines of a page joined to paragraphs: a line as wide as most others and without a final stop runs on."""
    lines = [" ".join(line.split()) for line in page.replace("\ufffe", "-").splitlines()]
    widths = [len(line) for line in lines if line]
    if not widths:
        return ""
    wide = 0.7 * statistics.quantiles([*widths, *widths], n=4)[2]
    joined = [""]
    for line in lines:
        before = joined[-1]
        if not before or not line or _BULLET.match(line):
            joined.append(line)
        elif _END.search(before):  # at the end of a wide line it ends a sentence, not a paragraph
            joined[-1:] = [f"{before} {line}"] if len(before) >= wide else [before, line]
        elif len(before) < wide and not line[0].islower():
            joined.append(line)
        elif before.endswith("-") and line[0].islower():
            joined[-1] = before[:-1] + line
        else:
            joined[-1] = before + ("" if _CJK_END.search(before) else " ") + line
    return "\n".join(joined[1:])
