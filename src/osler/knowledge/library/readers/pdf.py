"""PDF by pdfium: the text of each page with its page number. It does not read images: a scan has no text."""

import re
import statistics
import threading
from collections.abc import Iterator
from pathlib import Path

from osler.errors import InputError
from osler.knowledge.library.documents import Item, Part, whole

MAX_PAGES = 20_000
_LOCK = threading.Lock()  # pdfium is not thread-safe
_BULLET = re.compile(r"\s*(?:[-*•·–▪]|\(?\d{1,2}[.)])\s")
_END = re.compile(r"[.!?:;。！？；：]['\")\]”’]*$")
_CJK_END = re.compile(r"[\u3400-\u9fff，、]$")


def read_pdf(path: Path) -> Iterator[Item]:
    import pypdfium2  # type: ignore[import-untyped]
    import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

    with _LOCK:
        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError as error:
            locked = getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD or "assword" in str(error)
            why = "is encrypted" if locked else f"is a damaged PDF ({error})"
            hint = "Save a copy without a password." if locked else None
            raise InputError(why, where=str(path), hint=hint) from None
        try:
            if len(document) > MAX_PAGES:
                raise InputError(f"has more than {MAX_PAGES} pages", where=str(path))
            parts = []
            for number in range(len(document)):
                page = document[number]
                parts.append(Part(None, unwrap(page.get_textpage().get_text_bounded()), number + 1))
                page.close()
            title = " ".join((document.get_metadata_value("Title") or "").split())
        except pypdfium2.PdfiumError as error:
            raise InputError(f"is a damaged PDF ({error})", where=str(path)) from None
        finally:
            document.close()
    if not any(part.text.strip() for part in parts):
        why, hint = f"a PDF without text ({len(parts)} pages)", "It is a scan: recognise its text first."
        raise InputError(why, where=str(path), hint=hint)
    yield whole(path, "a PDF", title, parts)


def unwrap(page: str) -> str:
    """The lines of a page joined to paragraphs: a line as wide as most others and without a final stop runs on."""
    lines = [" ".join(line.split()) for line in page.replace("\ufffe", "-").splitlines()]
    widths = [len(line) for line in lines if line]
    if not widths:
        return ""
    wide = 0.7 * statistics.quantiles([*widths, *widths], n=4)[2]
    joined: list[str] = []
    for line in lines:
        before = joined[-1] if joined else ""
        if (
            not before
            or not line
            or _BULLET.match(line)
            or _END.search(before)
            or not (len(before.rsplit("\n", 1)[-1]) >= wide or line[0].islower())
        ):
            # a stop at the end of a wide line is the end of a sentence, not of a paragraph
            runs_on = bool(before and line) and bool(_END.search(before)) and len(before) >= wide
            if runs_on and not _BULLET.match(line):
                joined[-1] = f"{before} {line}"
            else:
                joined.append(line)
        elif before.endswith("-") and line[0].islower():
            joined[-1] = before[:-1] + line
        else:
            joined[-1] = before + ("" if _CJK_END.search(before) else " ") + line
    return "\n".join(joined)
