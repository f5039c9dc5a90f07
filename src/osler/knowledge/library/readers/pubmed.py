"""PubMed citation sets and JATS articles, read piece by piece with lxml.

Entities are not expanded, no DTD is loaded and nothing is fetched. It follows the element names of the NLM
PubMed DTD (PubmedArticleSet, DeleteCitation) and of JATS 1.x (article).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from osler.errors import InputError
from osler.knowledge.library.documents import RAISED, Deletion, DocumentText, Headings, Part, compose, flat, year_of
from osler.knowledge.library.readers.registry import Item, opened, reader

_START = re.compile(
    rb"(?is)^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*(?:<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>\s*)?"
    rb"<(?:PubmedArticleSet|PubmedArticle|DeleteCitation|pmc-articleset|article)\b"
)
_LANGUAGES = {"eng": "en", "chi": "zh", "en": "en", "zh": "zh"}
_RETRACTIONS = frozenset({"retraction", "retraction-forward"})
_INLINE = frozenset(
    "sup sub i b u italic bold underline sc monospace xref ext-link named-content styled-content".split()
)
_BLOCKS = ("p", "list", "table-wrap", "disp-quote", "boxed-text", "fig")


@reader("pubmed", (".xml", ".nxml"), sniff=lambda head: _START.match(head) is not None, streamed=True)
def read_pubmed(path: Path) -> Iterator[Item]:
    from lxml import etree  # type: ignore[import-untyped]

    wanted = ("{*}PubmedArticle", "{*}PubmedBookArticle", "{*}DeleteCitation", "{*}article")
    with opened(path) as stream:
        try:
            events = etree.iterparse(
                stream, tag=wanted, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
            )
            for _, element in events:
                where = f"{path}:{element.sourceline}"
                if _name(element) == "DeleteCitation":
                    yield from (Deletion(f"PMID:{_flat(gone)}") for gone in element.iter("{*}PMID"))
                else:
                    yield _article(element, where) if _name(element) == "article" else _citation(element, where)
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
        except etree.XMLSyntaxError as error:
            raise InputError(f"is not well-formed XML: {error.msg}", where=f"{path}:{error.lineno}") from None


def _citation(article: Any, where: str) -> Item:
    book = article.find("{*}BookDocument")
    body = book if book is not None else article.find("{*}MedlineCitation/{*}Article")
    pmid = _flat(article.find("{*}MedlineCitation/{*}PMID") if book is None else book.find("{*}PMID"))
    if not pmid or body is None:
        return InputError("a citation without " + ("a PMID" if not pmid else "an article"), where=where)
    title = _flat(body.find("{*}ArticleTitle"))
    text, sections = compose(Part(_label(part), _flat(part)) for part in body.iterfind("{*}Abstract/{*}AbstractText"))
    if not text:
        text, sections = compose([Part(None, title)])
    if not text:
        return InputError(f"PMID:{pmid} has neither a title nor an abstract", where=where)
    kinds = {_flat(kind) for kind in body.iterfind("{*}PublicationTypeList/{*}PublicationType")}
    links = {link.get("RefType") for link in article.iter("{*}CommentsCorrections")}
    return DocumentText(
        f"PMID:{pmid}",
        title or None,
        text,
        sections,
        year=year_of(
            _flat(body.find("{*}Journal/{*}JournalIssue/{*}PubDate" if book is None else "{*}Book/{*}PubDate"))
        ),
        licence=_flat(body.find("{*}Abstract/{*}CopyrightInformation")) or None,
        url=f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/",
        language=_LANGUAGES.get(_flat(body.find("{*}Language"))),
        retracted="Retracted Publication" in kinds or "RetractionIn" in links,
    )


def _label(part: Any) -> str | None:
    label = part.get("Label")
    return label.capitalize() if label else None


def _article(article: Any, where: str) -> Item:
    front = article.find("{*}front/{*}article-meta")
    if front is None:
        return InputError("a JATS article without article-meta", where=where)
    ids = {element.get("pub-id-type"): _flat(element) for element in front.iterfind("{*}article-id")}
    name = next((f"{prefix}{ids[kind]}" for kind, prefix in _ID_PREFIXES.items() if ids.get(kind)), None)
    title = _flat(front.find("{*}title-group/{*}article-title"))
    headings = Headings()
    parts: list[Part] = []
    for abstract in front.iterfind("{*}abstract"):
        headings.enter(1, "Abstract")
        parts.extend(_sections(abstract, headings, 2))
    body = article.find("{*}body")
    if body is not None:
        parts.extend(_sections(body, Headings(), 1))
    text, sections = compose(parts)
    if name is None or not text:
        return InputError("a JATS article without " + ("an id" if name is None else "text"), where=where)
    years = [year_of(_flat(date.find("{*}year"))) for date in front.iterfind("{*}pub-date")]
    licence = front.find("{*}permissions/{*}license")
    kind = article.get("article-type")
    links = {link.get("related-article-type") for link in front.iter("{*}related-article")}
    language = article.get("{http://www.w3.org/XML/1998/namespace}lang") or ""
    return DocumentText(
        name,
        title or None,
        text,
        sections,
        year=min((year for year in years if year), default=None),
        licence=_licence(licence) if licence is not None else None,
        url=f"https://doi.org/{ids['doi']}" if ids.get("doi") else None,
        language=_LANGUAGES.get(language.lower()[:2]),
        retracted=kind != "retraction"
        and (kind == "retracted-article" or not _RETRACTIONS.isdisjoint(links) or title.startswith("RETRACTED")),
    )


_ID_PREFIXES = {"pmid": "PMID:", "pmcid": "", "pmc": "PMC", "doi": "doi:", "publisher-id": ""}


def _sections(container: Any, headings: Headings, level: int) -> Iterator[Part]:
    lines: list[str] = []
    for child in container:
        name = _name(child)
        if name == "title":
            continue
        if name == "sec":
            yield Part(headings.path, "\n\n".join(lines))
            lines = []
            headings.enter(level, _flat(child.find("{*}title")))
            yield from _sections(child, headings, level + 1)
            headings.enter(level, "")
        elif name in _BLOCKS:
            lines.append(_block(child))
    yield Part(headings.path, "\n\n".join(lines))


def _block(element: Any) -> str:
    if _name(element) == "list":
        return "\n".join(f"- {_flat(item)}" for item in element.iterfind("{*}list-item"))
    if _name(element) == "table-wrap":
        rows = (" | ".join(_flat(cell) for cell in row) for row in element.iter("{*}tr"))
        captions = (_flat(caption) for caption in element.iterfind("{*}caption"))
        return "\n".join(line for line in (*captions, *rows) if line.strip(" |"))
    return _flat(element)


def _licence(element: Any) -> str:
    href = element.get("{http://www.w3.org/1999/xlink}href")
    return str(href) if href else _flat(element)[:200]


def _name(element: Any) -> str:
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _flat(element: Any) -> str:
    return flat(_pieces(element)) if element is not None else ""


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
