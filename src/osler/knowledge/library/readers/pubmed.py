"""PubMed citation sets and JATS articles, read piece by piece with lxml.

Entities are not expanded, no DTD is loaded and nothing is fetched. It follows the element names of the NLM
PubMed DTD (PubmedArticleSet, DeleteCitation) and of JATS 1.x (article), in whatever namespace.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from osler.errors import InputError
from osler.knowledge.library.documents import (
    RAISED,
    Deletion,
    DocumentText,
    Headings,
    Item,
    Part,
    compose,
    flat,
    year_of,
)  # fmt: skip
from osler.knowledge.library.readers.files import opened

PUBMED = re.compile(
    rb"(?is)^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*(?:<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>\s*)?"
    rb"<(?:PubmedArticleSet|PubmedArticle|DeleteCitation|pmc-articleset|article)\b"
)
_LANGUAGES = {"eng": "en", "chi": "zh", "en": "en", "zh": "zh"}
_IDS = {"pmid": "PMID:", "pmcid": "", "pmc": "PMC", "doi": "doi:", "publisher-id": ""}
_RETRACTIONS = {"retraction", "retraction-forward"}
_INLINE = set("sup sub i b u italic bold underline sc monospace xref ext-link named-content styled-content".split())
_BLOCKS = ("p", "list", "table-wrap", "disp-quote", "boxed-text", "fig")
_LANG, _HREF = "{http://www.w3.org/XML/1998/namespace}lang", "{http://www.w3.org/1999/xlink}href"


def read_pubmed(path: Path) -> Iterator[Item]:
    from lxml import etree  # type: ignore[import-untyped]

    wanted = ("{*}PubmedArticle", "{*}PubmedBookArticle", "{*}DeleteCitation", "{*}article")
    safe = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
    with opened(path) as stream:
        try:
            for _, element in etree.iterparse(stream, tag=wanted, **safe):
                if _name(element) == "DeleteCitation":
                    yield from (Deletion(f"PMID:{_text(gone)}") for gone in element.iter("{*}PMID"))
                else:
                    document = _article(element) if _name(element) == "article" else _citation(element)
                    where = f"{path}:{element.sourceline}"
                    yield InputError(document, where=where) if isinstance(document, str) else document
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
        except etree.XMLSyntaxError as error:
            raise InputError(f"is not well-formed XML: {error.msg}", where=f"{path}:{error.lineno}") from None


def _citation(article: Any) -> DocumentText | str:
    """The document, or why it is none."""
    book = article.find("{*}BookDocument")
    citation = article.find("{*}MedlineCitation") if book is None else book
    body, pmid = (_first(citation, "Article") if book is None else book), _text(citation, "PMID")
    if not pmid or body is None:
        return "a citation without " + ("a PMID" if not pmid else "an article")
    title = _text(body, "ArticleTitle")
    abstract = [
        Part((part.get("Label") or "").capitalize(), _text(part)) for part in _all(body, "Abstract/AbstractText")
    ]
    text, sections = compose(abstract if any(part.text for part in abstract) else [Part(None, title)])
    if not text:
        return f"PMID:{pmid} has neither a title nor an abstract"
    kinds = {_text(kind) for kind in _all(body, "PublicationTypeList/PublicationType")}
    links = {link.get("RefType") for link in article.iter("{*}CommentsCorrections")}
    return DocumentText(
        f"PMID:{pmid}",
        title or None,
        text,
        sections,
        year=year_of(_text(body, "Journal/JournalIssue/PubDate" if book is None else "Book/PubDate")),
        licence=_text(body, "Abstract/CopyrightInformation") or None,
        url=f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/",
        language=_LANGUAGES.get(_text(body, "Language")),
        retracted="Retracted Publication" in kinds or "RetractionIn" in links,
    )


def _article(article: Any) -> DocumentText | str:
    """The document, or why it is none."""
    front = _first(article, "front/article-meta")
    if front is None:
        return "a JATS article without article-meta"
    ids = {element.get("pub-id-type"): _text(element) for element in _all(front, "article-id")}
    name = next((f"{prefix}{ids[kind]}" for kind, prefix in _IDS.items() if ids.get(kind)), None)
    parts: list[Part] = []
    for container, heading in [(part, "Abstract") for part in _all(front, "abstract")] + [
        (part, "") for part in _all(article, "body")
    ]:
        headings = Headings()
        headings.enter(1, heading)
        parts.extend(_sections(container, headings, 2))
    text, sections = compose(parts)
    if name is None or not text:
        return "a JATS article without " + ("an id" if name is None else "text")
    title, licence = _text(front, "title-group/article-title"), _first(front, "permissions/license")
    years = [year_of(_text(date)) for date in _all(front, "pub-date/year")]
    kind = article.get("article-type")
    links = {link.get("related-article-type") for link in front.iter("{*}related-article")}
    return DocumentText(
        name,
        title or None,
        text,
        sections,
        year=min((year for year in years if year), default=None),
        licence=None if licence is None else str(licence.get(_HREF) or _text(licence)[:200]),
        url=f"https://doi.org/{ids['doi']}" if ids.get("doi") else None,
        language=_LANGUAGES.get((article.get(_LANG) or "").lower()[:2]),
        retracted=kind != "retraction"
        and (kind == "retracted-article" or bool(_RETRACTIONS & links) or title.startswith("RETRACTED")),
    )


def _sections(container: Any, headings: Headings, level: int) -> Iterator[Part]:
    lines: list[str] = []
    for child in container:
        if _name(child) == "sec":
            yield Part(headings.path, "\n\n".join(lines))
            lines = []
            headings.enter(level, _text(child, "title"))
            yield from _sections(child, headings, level + 1)
            headings.enter(level, "")
        elif _name(child) in _BLOCKS:
            lines.append(_block(child))
    yield Part(headings.path, "\n\n".join(lines))


def _block(element: Any) -> str:
    if _name(element) == "list":
        return "\n".join(f"- {_text(item)}" for item in _all(element, "list-item"))
    if _name(element) == "table-wrap":
        rows = (" | ".join(_text(cell) for cell in row) for row in element.iter("{*}tr"))
        captions = (_text(caption) for caption in _all(element, "caption"))
        return "\n".join(line for line in (*captions, *rows) if line.strip(" |"))
    return _text(element)


def _name(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _all(element: Any, path: str) -> list[Any]:
    found: list[Any] = element.findall("/".join(f"{{*}}{name}" for name in path.split("/")))
    return found


def _first(element: Any, path: str) -> Any:
    return next(iter(_all(element, path)), None)


def _text(element: Any, path: str = "") -> str:
    """The text of an element, or of the first at a path below it; empty where there is none."""
    found = _first(element, path) if path and element is not None else element
    return "" if found is None else flat(_pieces(found))


def _pieces(element: Any) -> Iterator[str]:
    """The text of an element: blocks apart, raised numbers marked, without the numbers that cite references."""
    name = _name(element)
    if not name or element.get("ref-type") == "bibr":
        return
    yield RAISED if name == "sup" else "" if name in _INLINE else " "
    yield element.text or ""
    for child in element:
        yield from _pieces(child)
        yield child.tail or ""
    yield "" if name in _INLINE else " "
