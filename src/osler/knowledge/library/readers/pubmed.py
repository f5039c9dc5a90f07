"""PubMed citation sets and JATS articles, read piece by piece with lxml.

Entities are not expanded, no DTD is loaded and nothing is fetched. It follows the element names of the NLM
PubMed DTD (PubmedArticleSet, DeleteCitation) and of JATS 1.x (article), in whatever namespace.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from osler.errors import InputError
from osler.knowledge.library.documents import SUP, Block, Deletion, DocumentText, Item, block_of, flat, whole, year_of

PUBMED = (
    rb"(?is)(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*(?:<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>\s*)?"
    rb"<(?:PubmedArticleSet|PubmedArticle|DeleteCitation|pmc-articleset|article)\b"
)
_LANGUAGES = {"eng": "en", "chi": "zh", "en": "en", "zh": "zh"}
_IDS = {"pmid": "PMID:", "pmcid": "", "pmc": "PMC", "doi": "doi:", "publisher-id": ""}
_RETRACTIONS = {"retraction", "retraction-forward"}
_INLINE = set("sup sub i b u italic bold underline sc monospace xref ext-link named-content styled-content".split())
_BLOCKS = ("p", "list", "table-wrap", "disp-quote", "boxed-text", "fig")
_LANG, _HREF = "{http://www.w3.org/XML/1998/namespace}lang", "{http://www.w3.org/1999/xlink}href"


def read_pubmed(path: Path, stream: IO[bytes]) -> Iterator[Item]:
    from lxml import etree  # type: ignore[import-untyped]

    wanted = ("{*}PubmedArticle", "{*}PubmedBookArticle", "{*}DeleteCitation", "{*}article")
    safe = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
    try:
        for _, element in etree.iterparse(stream, tag=wanted, remove_comments=True, remove_pis=True, **safe):
            etree.strip_tags(element, etree.Entity)
            _simplify(element)
            if element.tag == "DeleteCitation":
                yield from (Deletion(f"PMID:{_text(gone)}") for gone in element.iter("PMID"))
            else:
                try:
                    yield _article(element) if element.tag == "article" else _citation(element)
                except InputError as error:
                    yield InputError(error.message, where=f"{path}:{element.sourceline}")
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        raise InputError(f"is not well-formed XML: {error.msg}", where=f"{path}:{error.lineno}") from None


def _simplify(element: Any) -> None:
    """Without namespaces and the numbers that cite references, raised numbers marked, blocks apart."""
    for reference in list(element.iter("{*}xref")):
        if reference.get("ref-type") == "bibr":
            reference.clear(keep_tail=True)
    for part in element.iter():
        tag, text = part.tag, part.text
        if tag[0] == "{":
            part.tag = tag = tag.rpartition("}")[2]
        if tag == "sup":
            part.text = f"{SUP}{text or ''}"
        elif tag not in _INLINE:
            part.tail = f" {part.tail or ''}"
            if text or len(part):
                part.text = f" {text or ''}"


def _citation(article: Any) -> DocumentText:
    book = article.find("BookDocument")
    body = article.find("MedlineCitation/Article") if book is None else book
    pmid = _text(article, "MedlineCitation/PMID" if book is None else "BookDocument/PMID")
    if not pmid or body is None:
        raise InputError("a citation without " + ("a PMID" if not pmid else "an article"))
    title, texts = _text(body, "ArticleTitle"), body.findall("Abstract/AbstractText")
    labels = [Block((text.get("Label") or "").capitalize(), 1) for text in texts]
    abstract = [block for label, text in zip(labels, texts, strict=True) for block in (label, Block(_text(text)))]
    if not any(block.text for block in abstract if block.level is None):
        if not title:
            raise InputError(f"PMID:{pmid} has neither a title nor an abstract")
        abstract = [Block(title)]
    kinds = {_text(kind) for kind in body.iterfind("PublicationTypeList/PublicationType")}
    links = {link.get("RefType") for link in article.iter("CommentsCorrections")}
    about = {
        "year": year_of(_text(body, "Journal/JournalIssue/PubDate" if book is None else "Book/PubDate")),
        "licence": _text(body, "Abstract/CopyrightInformation") or None,
        "url": f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/",
        "language": _LANGUAGES.get(_text(body, "Language")),
        "retracted": "Retracted Publication" in kinds or "RetractionIn" in links,
    }
    return whole(f"PMID:{pmid}", title, abstract, **about)


def _article(article: Any) -> DocumentText:
    front = article.find("front/article-meta")
    if front is None:
        raise InputError("a JATS article without article-meta")
    ids = {element.get("pub-id-type"): _text(element) for element in front.iterfind("article-id")}
    name = next((f"{prefix}{ids[kind]}" for kind, prefix in _IDS.items() if ids.get(kind)), None)
    if name is None:
        raise InputError("a JATS article without an id")
    blocks: list[Block] = []
    for container in (*front.iterfind("abstract"), *article.iterfind("body")):
        blocks += [Block("Abstract" if container.tag == "abstract" else "", 1), *_blocks(container, 2)]
    title, licence = _text(front, "title-group/article-title"), front.find("permissions/license")
    years = [year_of(_text(date)) for date in front.iterfind("pub-date/year")]
    kind = article.get("article-type")
    links = {link.get("related-article-type") for link in front.iter("related-article")}
    withdrawn = kind == "retracted-article" or bool(_RETRACTIONS & links) or title.startswith("RETRACTED")
    about = {
        "year": min((year for year in years if year), default=None),
        "licence": None if licence is None else str(licence.get(_HREF) or _text(licence)[:200]),
        "url": f"https://doi.org/{ids['doi']}" if ids.get("doi") else None,
        "language": _LANGUAGES.get((article.get(_LANG) or "").lower()[:2]),
        "retracted": withdrawn and kind != "retraction",
    }
    return whole(name, title, blocks, **about)


def _blocks(container: Any, level: int) -> Iterator[Block]:
    for child in container:
        if child.tag == "sec":
            yield Block(_text(child, "title"), level)
            yield from _blocks(child, level + 1)
            yield Block("", level)
        elif child.tag in _BLOCKS:
            yield block_of(child)


def _text(element: Any, path: str = ".") -> str:
    """The text of the first element at a path, empty where there is none."""
    found = element.find(path)
    return "" if found is None else flat(found.itertext())
