"""Every reader on files made here, good and bad."""

import gzip
import zipfile
from pathlib import Path

import docx
import pytest

from osler.errors import InputError, OslerError
from osler.knowledge.library.documents import Deletion, DocumentText
from osler.knowledge.library.readers import files, files_under, read
from osler.knowledge.library.readers.pdf import unwrap


def only(path: Path) -> DocumentText:
    [item] = read(path)
    assert isinstance(item, DocumentText), item
    return item


def parts(document: DocumentText) -> list[tuple[str | None, str]]:
    return [(section.heading, document.text[section.start : section.end].strip()) for section in document.sections]


def pdf(pages: list[list[str]], title: str | None = None, encrypt: str = "") -> bytes:
    """A minimal PDF: a line of Helvetica for each string."""
    count = len(pages)
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(count))
    objects = ["<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Kids[{kids}]/Count {count}>>"]
    objects.append("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    for number, lines in enumerate(pages):
        stream = "BT /F1 10 Tf 14 TL 40 800 Td " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 850]/Contents {5 + 2 * number} 0 R"
            "/Resources<</Font<</F1 3 0 R>>>>>>"
        )
        objects.append(f"<</Length {len(stream)}>>\nstream\n{stream}\nendstream")
    extra = ""
    if title:
        objects.append(f"<</Title({title})>>")
        extra = f"/Info {len(objects)} 0 R"
    if encrypt:
        objects.append(f"<</Filter/Standard/V 1/R 2/O({'o' * 32})/U({'u' * 32})/P -44>>")
        extra += f"/Encrypt {len(objects)} 0 R/ID[<00><00>]"
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    start = len(data)
    data += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
    return data + f"trailer<</Size {len(objects) + 1}/Root 1 0 R{extra}>>\nstartxref\n{start}\n%%EOF".encode()


def test_pdf_keeps_pages_and_title(tmp_path: Path) -> None:
    path = tmp_path / "guide.pdf"
    path.write_bytes(pdf([["Asthma in adults."], ["Give oxygen to patients whose saturation is below 94%."]], "Asthma"))
    document = only(path)
    assert document.title == "Asthma"
    assert [section.page for section in document.sections] == [1, 2]
    assert "saturation is below 94%" in document.text


def test_a_packed_pdf_is_read(tmp_path: Path) -> None:
    path = tmp_path / "guide.pdf.gz"
    path.write_bytes(gzip.compress(pdf([["Asthma in adults."]])))
    assert only(path).text == "Asthma in adults."


def test_pdf_without_text_says_so(tmp_path: Path) -> None:
    path = tmp_path / "scan.pdf"
    path.write_bytes(pdf([[], []]))
    with pytest.raises(InputError, match="a PDF without text \\(2 pages\\)"):
        list(read(path))


def test_encrypted_pdf_says_so(tmp_path: Path) -> None:
    path = tmp_path / "locked.pdf"
    path.write_bytes(pdf([["Secret."]], encrypt="yes"))
    with pytest.raises(InputError, match="encrypted"):
        list(read(path))


def test_truncated_pdf_is_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "cut.pdf"
    path.write_bytes(b"%PDF-1.7\n1 0 obj\n<</Type")
    with pytest.raises(InputError, match=r"cut\.pdf: is a damaged PDF"):
        list(read(path))


def test_pdf_lines_become_paragraphs() -> None:
    page = (
        "Treatment\n"
        "Patients with severe asthma should be given high-dose inhaled\n"
        "beta-2 agonists as first-line treat-\n"
        "ment. Repeat at intervals of fifteen minutes when needed and ask.\n"
        "Add ipratropium to the treatment of those who answer poorly to it.\n"
        "- oxygen\n"
        "- steroids"
    )
    lines = unwrap(page).splitlines()
    assert lines[0] == "Treatment"
    assert "first-line treatment. Repeat" in lines[1]
    assert lines[-2:] == ["- oxygen", "- steroids"]


def test_html_keeps_headings_and_drops_menus(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    body = "".join(f"<p>Migraine is a headache disorder of the brain, paragraph {n} of many.</p>" for n in range(4))
    path.write_text(
        "<!DOCTYPE html><html><head><title>Migraine</title></head><body><nav><a href='/'>Home menu</a></nav>"
        f"<article><h1>Migraine</h1>{body}<h2>Treatment</h2><p>Triptans such as sumatriptan treat an attack early.</p>"
        "<ul><li>sumatriptan tablets</li><li>rizatriptan tablets</li></ul>"
        "<table><tr><th>Drug</th><th>Dose</th></tr><tr><td>sumatriptan</td><td>50 mg</td></tr></table></article>"
        "<footer>Contact us</footer></body></html>",
        encoding="utf-8",
    )
    document = only(path)
    assert document.title == "Migraine"
    treatment = dict(parts(document))["Migraine > Treatment"]
    assert "Triptans such as sumatriptan" in treatment
    assert "sumatriptan | 50 mg" in treatment
    assert "Home menu" not in document.text and "Contact us" not in document.text


def test_html_without_text(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("<html><body><script>let a = 1</script></body></html>")
    with pytest.raises(InputError, match="without text"):
        list(read(path))


def test_docx_headings_and_tables(tmp_path: Path) -> None:
    path = tmp_path / "local.docx"
    made = docx.Document()
    made.add_heading("Sepsis pathway", 0)
    made.add_heading("Antibiotics", 1)
    made.add_paragraph("Give the first dose within one hour.")
    made.add_heading("Doses", 2)
    table = made.add_table(rows=2, cols=2)
    for number, text in enumerate(("Drug", "Dose", "ceftriaxone", "2 g")):
        table.cell(number // 2, number % 2).text = text
    made.add_heading("Review", 1)
    made.add_paragraph("Review at 48 hours.")
    made.save(str(path))
    document = only(path)
    assert document.title == "Sepsis pathway"
    assert parts(document) == [
        ("Sepsis pathway > Antibiotics", "Give the first dose within one hour."),
        ("Sepsis pathway > Antibiotics > Doses", "Drug | Dose\nceftriaxone | 2 g"),
        ("Sepsis pathway > Review", "Review at 48 hours."),
    ]


def test_docx_bomb_and_other_archives_are_refused(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.docx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"\0" * 60_000_000)
    with pytest.raises(InputError, match="unpacks to"):
        list(read(bomb))
    other = tmp_path / "other.docx"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(InputError, match="not a DOCX"):
        list(read(other))
    cut = tmp_path / "cut.docx"
    cut.write_bytes(other.read_bytes()[:40])
    with pytest.raises(InputError, match="damaged DOCX"):
        list(read(cut))


def test_docx_with_broken_xml(tmp_path: Path) -> None:
    path = tmp_path / "broken.docx"
    good = tmp_path / "good.docx"
    docx.Document().save(str(good))
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            target.writestr(name, b"<w:document" if name == "word/document.xml" else source.read(name))
    with pytest.raises(InputError, match="damaged DOCX"):
        list(read(path))


def test_markdown_sections_are_slices_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "gout.md"
    text = "intro\n\n# Gout\n\nUric acid.\n\n```\n# no heading\n```\n\n## Treatment ##\nColchicine.\n# Other\nMore.\n"
    path.write_text(text, encoding="utf-8")
    document = only(path)
    assert document.text == text and document.title == "Gout"
    assert [heading for heading, _ in parts(document)] == [None, "Gout", "Gout > Treatment", "Other"]
    assert "# no heading" in parts(document)[1][1]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_text_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "note.txt"
    path.write_bytes("高血压患者首先要注意控制食盐摄入量。".encode(encoding))
    assert only(path).text == "高血压患者首先要注意控制食盐摄入量。"


def test_wrong_encoding_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_bytes(b"first line\nna\xefve patient\n")
    with pytest.raises(InputError, match=r"note\.txt:2: is not utf-8 text"):
        list(read(path))


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("empty.txt", b"", "empty"),
        ("blank.md", b" \n \n", "no text"),
        ("photo.bin", b"\x89PNG\r\n\0\0\0", "no known format"),
        ("binary.txt", b"text\0text", "binary"),
        ("bundle.json", b'{"resourceType": "Bundle"}', "no known format"),
        ("articles.jsonl", b'{"document_id": "1", "text": "no _id"}\n' * 30, "no BEIR corpus"),
        ("report.pdf", b"just text", "damaged PDF"),
        ("data.xml", b"<?xml version='1.0'?><root/>", "nothing that can be read as pubmed"),
        ("cut.jsonl.gz", gzip.compress(b'{"_id": "1", "text": "abc"}' * 999)[:40], "can't be read"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError, match=message) as caught:
        list(read(path))
    assert name in str(caught.value)


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    with path.open("wb") as stream:
        stream.write(b"text " * 1000)
        stream.truncate(200 * 2**20)
    with pytest.raises(InputError, match="200 MB is more than 100 MB"):
        list(read(path))


def test_unpacking_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "notes.txt.gz"
    path.write_bytes(gzip.compress(b"abc " * 10_000))
    assert len(only(path).text) == 40_000
    monkeypatch.setattr(files, "MAX_BYTES", 1000)
    with pytest.raises(InputError, match="is more than"):
        list(read(path))


def test_front_matter_says_what_a_guideline_is(tmp_path: Path) -> None:
    path = tmp_path / "dvt.md"
    front = (
        "---\ntitle: 'DVT: local'\ndate: 2022-03-01\nlicense: CC BY-SA 4.0\nvalid_from: 2022-04-01\n"
        "tags: [a, b\nretracted: yes\nsuperseded_by: dvt-2\nurl: https://example.org/dvt\n---\n"
    )
    path.write_text(f"{front}Rivaroxaban.\n\nDuration\n--------\n\nThree months.\n")
    document = only(path)
    assert parts(document) == [(None, "Rivaroxaban."), ("Duration", "Three months.")]
    assert (document.title, document.year, document.licence) == ("DVT: local", 2022, "CC BY-SA 4.0")
    assert (document.valid_from, document.superseded_by, document.retracted) == ("2022-04-01", "dvt-2", True)
    assert document.url == "https://example.org/dvt" and document.text.startswith(front)


def test_chinese_in_the_wrong_encoding_is_not_taken_for_another_text(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    text = "糖尿病患者可以服用二甲雙胍控制血糖，並注意飲食。"
    path.write_bytes(text.encode("big5"))
    assert only(path).text == text
    path.write_bytes(text.encode("shift_jis", "ignore") + b"\x82\xa0\x82\xa2" * 30)
    with pytest.raises(InputError, match="is not utf-8 text"):
        list(read(path))


def test_a_raised_number_stays_a_power(tmp_path: Path) -> None:
    """Platelets of 50 x 10<sup>9</sup>/L must not become 109."""
    words = "Platelets below 50 x 10<sup>9</sup>/L, CO<sub>2</sub> in a<sup>1</sup> and Ca<sup>2+</sup>."
    expected = "Platelets below 50 x 10^9/L, CO2 in a1 and Ca2+."
    page = tmp_path / "page.html"
    page.write_text(f"<html><body><h1>Counts</h1><p>{words} This is the main text of the page.</p></body></html>")
    assert expected in only(page).text
    cited = words.replace("<sup>1</sup>", '<xref ref-type="bibr">1</xref>')
    article = tmp_path / "article.xml"
    article.write_text(
        f"<article><front><article-meta><article-id pub-id-type='pmid'>5</article-id><abstract><p>{cited}</p>"
        "<fig><label>Figure 1</label><caption><p>Survival.</p></caption></fig></abstract></article-meta></front>"
        "</article>"
    )
    assert only(article).text == expected.replace("a1", "a") + "\n\nFigure 1 Survival."
    made = docx.Document()
    paragraph = made.add_paragraph("Platelets below 50 x 10")
    paragraph.add_run("9").font.superscript = True
    paragraph.add_run("/L")
    made.save(str(tmp_path / "counts.docx"))
    assert only(tmp_path / "counts.docx").text == "Platelets below 50 x 10^9/L"


def test_fragments_and_late_ids_are_read_by_name(tmp_path: Path) -> None:
    page = tmp_path / "part.html"
    page.write_text("<!-- c --><p>Calcium gluconate protects the heart in hyperkalaemia.</p>")
    assert "Calcium gluconate" in only(page).text
    late = tmp_path / "late.jsonl"
    late.write_bytes(b'\xef\xbb\xbf{"text": "' + b"long " * 2000 + b'", "_id": "late", "year": "2016"}\n')
    assert (only(late).document_id, only(late).year) == ("late", 2016)


PUBMED = """<?xml version="1.0"?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" "https://example.org/pubmed.dtd">
<PubmedArticleSet>
<PubmedArticle><MedlineCitation><PMID Version="1">11</PMID><Article><Journal><JournalIssue><PubDate><Year>2019</Year>
</PubDate></JournalIssue></Journal><ArticleTitle>Gout and <i>uric</i> acid.</ArticleTitle><Abstract>
<AbstractText Label="BACKGROUND">Gout hurts.</AbstractText>
<AbstractText Label="RESULTS">Colchicine helps.</AbstractText>
<CopyrightInformation>CC BY</CopyrightInformation></Abstract><Language>eng</Language><PublicationTypeList>
<PublicationType UI="D016441">Retracted Publication</PublicationType></PublicationTypeList></Article></MedlineCitation>
</PubmedArticle>
<PubmedArticle><MedlineCitation><PMID>12</PMID><Article><ArticleTitle>Title alone.</ArticleTitle></Article>
</MedlineCitation></PubmedArticle>
<PubmedArticle><MedlineCitation><Article><ArticleTitle>No identifier.</ArticleTitle></Article></MedlineCitation>
</PubmedArticle>
<DeleteCitation><PMID>9</PMID><PMID>10</PMID></DeleteCitation>
</PubmedArticleSet>"""


def test_pubmed_citations_and_deletions(tmp_path: Path) -> None:
    path = tmp_path / "pubmed.xml.gz"
    path.write_bytes(gzip.compress(PUBMED.encode()))
    first, second, third, *deleted = read(path)
    assert isinstance(first, DocumentText) and isinstance(second, DocumentText)
    assert (first.document_id, first.title, first.year, first.language) == (
        "PMID:11",
        "Gout and uric acid.",
        2019,
        "en",
    )
    assert parts(first) == [("Background", "Gout hurts."), ("Results", "Colchicine helps.")]
    assert first.retracted and first.licence == "CC BY" and first.url == "https://pubmed.ncbi.nlm.nih.gov/11/"
    assert second.text == "Title alone." and not second.retracted
    assert isinstance(third, OslerError) and "without a PMID" in third.message
    assert deleted == [Deletion("PMID:9"), Deletion("PMID:10")]


JATS = """<article xmlns:xlink="http://www.w3.org/1999/xlink" article-type="research-article" xml:lang="en">
<front><article-meta><article-id pub-id-type="pmc">77</article-id><article-id pub-id-type="doi">10.1/x</article-id>
<title-group><article-title>Sepsis</article-title></title-group><pub-date><year>2021</year></pub-date>
<pub-date><year>2020</year></pub-date><permissions><license xlink:href="https://creativecommons.org/licenses/by/4.0/">
<license-p>Open.</license-p></license></permissions><abstract><p>Short.</p></abstract></article-meta></front>
<body><p>Lead.</p><sec><title>Methods</title><p>We looked.</p><sec><title>Sites</title><p>Two wards.</p></sec></sec>
<sec><title>Results</title><list><list-item><p>one</p></list-item><list-item><p>two</p></list-item></list></sec></body>
</article>"""


def test_jats_sections(tmp_path: Path) -> None:
    path = tmp_path / "article.nxml"
    path.write_text(JATS)
    document = only(path)
    assert (document.document_id, document.title, document.year) == ("PMC77", "Sepsis", 2020)
    assert document.licence == "https://creativecommons.org/licenses/by/4.0/"
    assert parts(document) == [
        ("Abstract", "Short."),
        (None, "Lead."),
        ("Methods", "We looked."),
        ("Methods > Sites", "Two wards."),
        ("Results", "- one\n- two"),
    ]


def test_jats_in_a_namespace_with_comments_and_empty_blocks(tmp_path: Path) -> None:
    path = tmp_path / "article.xml"
    body = "<body><p>One<!-- not this --> two.</p><p/><p>Three<xref ref-type='bibr'><sup>1</sup></xref>.</p>"
    path.write_text(JATS.replace("<article ", "<article xmlns='https://example.org/jats' ").replace("<body>", body, 1))
    document = only(path)
    assert parts(document)[:2] == [("Abstract", "Short."), (None, "One two.\n\nThree.\n\nLead.")]


def test_xml_entities_are_neither_expanded_nor_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("private key")
    path = tmp_path / "evil.xml"
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol" * 10}">' for n in range(9))
    path.write_text(
        f'<!DOCTYPE PubmedArticleSet [{bomb}<!ENTITY file SYSTEM "file://{secret}">]><PubmedArticleSet><PubmedArticle>'
        "<MedlineCitation><PMID>1</PMID><Article><ArticleTitle>A &e8; b &file; c</ArticleTitle></Article>"
        "</MedlineCitation></PubmedArticle></PubmedArticleSet>"
    )
    try:
        texts = [item.text for item in read(path) if isinstance(item, DocumentText)]
    except InputError:
        texts = []
    assert all("private key" not in text and len(text) < 1000 for text in texts)


def test_malformed_xml_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "cut.xml"
    path.write_text(PUBMED[:900])
    with pytest.raises(InputError, match=r"cut\.xml:\d+: is not well-formed XML"):
        list(read(path))


def test_beir_keeps_ids_and_reports_bad_lines(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl"
    path.write_text(
        '{"_id": "d1", "title": "T", "text": "Text.", "year": 2020, "metadata": {"url": "https://example.org"}}\n'
        '{"_id": "d2", "title": "Title alone", "text": ""}\n'
        "\n"
        '{"_id": "d3", "text": "cut\n'
        '{"title": "no id", "text": "x"}\n'
        '{"_id": "d4", "title": "", "text": " "}\n'
        '{"_id": 5, "title": "number", "text": "Five."}\n'
    )
    items = list(read(path))
    documents = [item for item in items if isinstance(item, DocumentText)]
    faults = [item for item in items if isinstance(item, OslerError)]
    assert [document.document_id for document in documents] == ["d1", "d2", "5"]
    assert (documents[0].year, documents[0].url, documents[1].text) == (2020, "https://example.org", "Title alone")
    assert [str(fault.where).rpartition(":")[2] for fault in faults] == ["4", "5", "6"]


def test_folders_are_walked_without_hidden_files(tmp_path: Path) -> None:
    (tmp_path / "a" / ".git").mkdir(parents=True)
    for name in ("a/one.txt", "a/.hidden.txt", "a/.git/config", "b.txt"):
        (tmp_path / name).write_text("x")
    assert [path.name for path in files_under([tmp_path])] == ["one.txt", "b.txt"]
    with pytest.raises(InputError, match="no such file"):
        files_under([tmp_path / "missing"])
