"""Status, experiencer and time of mentions; the tune parts of the context sets must stay right."""

import json
import re
from pathlib import Path

import pytest

from osler.knowledge.concepts.context import Context, contexts
from osler.splits import split

SETS = Path(__file__).parents[2] / "sets"
MEANING = {
    "P": Context(),
    "N": Context("absent"),
    "U": Context("uncertain"),
    "H": Context("present", "patient", "historical"),
    "HYP": Context("uncertain", "patient", "hypothetical"),
    "FAM": Context("present", "family"),
    "NF": Context("absent", "family"),
    "OTH": Context("present", "other"),
    "NO": Context("absent", "other"),
}


def read(marked: str) -> tuple[str, list[tuple[int, int]], list[str]]:
    """`[fever|N]` marks a mention and what is said of it."""
    text, spans, meant, at = "", [], [], 0
    for match in re.finditer(r"\[([^\[\]|]+)\|(\w+)\]", marked):
        text += marked[at : match.start()]
        spans.append((len(text), len(text) + len(match[1])))
        text += match[1]
        meant.append(match[2])
        at = match.end()
    return text + marked[at:], spans, meant


@pytest.mark.parametrize(
    "marked",
    [
        "No change in her chronic [back pain|P].",
        "He is not only [tachycardic|P] but also [hypotensive|P].",
        "Neither [fever|N] nor [chills|N] were reported.",
        "Denies [chest pain|N], [palpitations|N], or [syncope|N]. Reports [fatigue|P].",
        "Fever: absent. [Cough|P]: present. [Rash|N]: no",
        "[murmur|N] (-), [leg edema|P] (+), [fever|N]-",
        "[x] [Cough|P]  [ ] [Fever|N]",
        "We cannot rule out [appendicitis|U]. Rule out [sepsis|U]. CT ruled out [bleed|N].",
        "[PE|U] cannot be excluded; [DVT|N] was excluded.",
        "?[UTI|U], [CAP|U]?",
        "Any [chest pain|N]? No. Any [cough|P]? Yes.",
        "Her mother had [lupus|FAM] and she has [joint pain|P].",
        "Mother reports [fever|P] for two days. Brought in by his wife because of [confusion|P].",
        "No family history of [colon cancer|NF]. Neither parent has [diabetes|NF].",
        "Her husband has [influenza|OTH]; she has [cough|P].",
        "PMH: [asthma|H], [GERD|H]\nFHx: [MI|FAM] (father)\nHPI: 3-day history of [fever|P]",
        "PMH:\n- [asthma|H]\n- [gout|H]\nExam:\n- [wheeze|P]",
        "65M h/o [AF|H], sudden left arm [weakness|P]. Hx of [gout|H], [chest pain|P] since this morning.",
        "Symptoms resolved yesterday but [chest pain|P] recurred today. [Fever|P] at 6 am.",
        "PMH: [asthma|H]. Presented with [chest pain|P].",
        "Parents report poor feeding and [lethargy|P]. His wife found him [unconscious|P].",
        "Wife: he has been [confused|P] since Monday.",
        "Red eyes without [pus|N], cracked [lips|P], [rash|P] on the trunk, red palms and soles.",
        "Came without [fever|N], [chills|N] or [cough|N].",
        "如厕时突发[胸痛|P]。家中失火后[头痛|P]。与丈夫争吵后[昏睡|P]。",
        "现病史：2小时前突发[胸痛|P]。3天前曾[呕血|P]，10年前曾患[脑梗死|H]。",
        "既往史：2015年突发[脑出血|H]。\n病史：半小时前曾[抽搐|P]1次，仍有[头痛|P]。",
        "[Fever|H] has resolved. s/p [stroke|H] in 2015 with residual [hemiparesis|P].",
        "Return if [fever|HYP] or [vomiting|HYP] occurs. Heparin for [DVT|HYP] prophylaxis.",
        "There was no [cough|N], however she has [wheeze|P].",
        "The [cough|P] did not respond to antibiotics. [Anemia|P] has not improved.",
        "He is not without [knee pain|P]. She no longer has [insomnia|N].",
        "患者无[发热|N]、[咳嗽|N]，有[胸痛|P]。",
        "既往史：[高血压|H]10年，否认[糖尿病|N]、[冠心病|N]。",
        "考虑[肺炎|U]可能，[肺癌|U]待排。如出现[呼吸困难|HYP]，立即就诊。",
        "家族史：母亲患[乳腺癌|FAM]；患者有[头痛|P]。",
        "[阑尾炎|U]？[发热|H]已消退，仍有[咳嗽|P]。",
        "皮疹（-），[咽痛|P]（+），[杵状指|N]：无",
    ],
)
def test_rules(marked: str) -> None:
    text, spans, meant = read(marked)
    assert contexts(text, spans) == [MEANING[one] for one in meant]


def test_sentences_of_many_kinds() -> None:
    for marked in (Path(__file__).parent / "context_sentences.txt").read_text(encoding="utf-8").splitlines():
        text, spans, meant = read(marked)
        said = contexts(text, spans)
        for one, context in zip(meant, said, strict=True):
            want = MEANING[one]
            timed = want.status != "absent" and want.experiencer == "patient"
            assert context[:2] == want[:2] and (not timed or context.time == want.time), marked


def test_the_tune_parts_of_the_sets() -> None:
    for name in ("context", "context_2"):
        rows = [json.loads(line) for line in (SETS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
        rows = [row for row in rows if split(name, row["text"]) == "tune"]
        right = 0
        for row in rows:
            said = contexts(row["text"], [(row["start"], row["end"])])[0]
            right += said == (row["status"], row["experiencer"], row["time"])
        assert right / len(rows) >= 0.97, name


def test_order_of_spans_and_empty_input() -> None:
    text = "no fever. Cough."
    assert contexts(text, [(10, 15), (3, 8)]) == [Context(), Context("absent")]
    assert contexts(text, []) == []
    assert contexts("", [(0, 0)]) == [Context()]


def test_a_letter_that_lower_case_makes_longer_moves_no_offset() -> None:
    text, spans, _ = read("İİİİ clinic: denies [fever|N]")
    assert contexts(text, spans) == [Context("absent")]
