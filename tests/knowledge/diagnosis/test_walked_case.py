"""docs/how-diagnosis-works.md makes a score by hand; here its numbers meet the program's and each other."""

import math
import re
from pathlib import Path

import pytest

from osler.knowledge.diagnosis import explain, load_ranker, rank
from osler.knowledge.diagnosis.ranking import Patient
from osler.knowledge.diagnosis.relatives import BY_NAME
from osler.knowledge.diagnosis.scoring import FLOOR, OVERLAP, OWN_ROWS, REVERSE, TOLD

PAGE = Path(__file__).parents[3] / "docs" / "how-diagnosis-works.md"
FINDINGS, DISEASE = ["HP:0000093", "HP:0001889", "HP:0100502"], "MONDO:0100157"


def tables() -> list[dict[str, list[float]]]:
    """The page's tables by finding, in their order."""
    lines = re.findall(r"^\| (HP:\d+)[^|]*\|(.*)\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    cells = [(code, [float(n) for n in re.findall(r"-?\d+\.\d+", text)]) for code, text in lines]
    return [dict(cells[k : k + len(FINDINGS)]) for k in range(0, len(cells), len(FINDINGS))]


def test_the_page_says_what_the_program_says() -> None:
    ranked = rank(FINDINGS, sex="female", top=2)
    first = explain(ranked, FINDINGS, sex="female")[0]
    assert first.id == DISEASE
    said = {contribution.code: contribution.score for contribution in (*first.for_, *first.against)}
    final = tables()[-1]
    assert {code: round(score, 4) for code, score in said.items()} == {code: row[-1] for code, row in final.items()}
    assert f"**{first.score:.4f}**" in PAGE.read_text(encoding="utf-8")
    assert f"{ranked[1].score:.3f}" in PAGE.read_text(encoding="utf-8")
    scores = load_ranker().score(FINDINGS, patient=Patient("female"))
    assert scores is not None
    place = load_ranker().place[DISEASE]
    terms, shares, weights = scores.seen.annotations(place)
    for term, share, weight in zip(terms.tolist(), shares.tolist(), weights.tolist(), strict=True):
        told = scores.seen.information[term]
        label = load_ranker().graph.label(load_ranker().graph.ids[term])
        assert f"| {label} | {share:.3f} | {weight:.4f} | {told:.3f} |" in PAGE.read_text(encoding="utf-8")


def test_the_page_adds_up() -> None:
    matches, evidence, shown, final = tables()
    own = OWN_ROWS / (OWN_ROWS + 9)
    by_gene, by_series_and_name = 1 / math.sqrt(2), (1 + BY_NAME) / math.sqrt(3)
    syndrome, first_type = (by_gene + by_series_and_name) * 46 / (46 + TOLD), by_series_and_name * 9 / (9 + TOLD)

    def relatives(of_syndrome: float, of_type: float) -> float:
        return (syndrome * of_syndrome + first_type * of_type) / (syndrome + first_type)

    ic = {code: load_ranker().index.background.information()[load_ranker().graph.position(code)] for code in FINDINGS}
    protein, _, vitamin = FINDINGS
    above = float(re.search(r"\(2 · (\d\.\d+) /", PAGE.read_text(encoding="utf-8"))[1])  # type: ignore[index]
    alike = (2 * above / (ic[protein] + ic[vitamin])) ** OVERLAP
    alone = dict(zip(FINDINGS, (1 / (1 + alike), 1.0, 1 / (1 + alike)), strict=True))
    for code in FINDINGS:
        usual, r, of_syndrome, of_type, mean, mixed = matches[code]
        share = {"HP:0000093": 0.875, "HP:0001889": 0.25, "HP:0100502": 1.0}[code]
        assert r == pytest.approx(math.sqrt(share) / usual, rel=1e-4)
        assert mean == pytest.approx(relatives(of_syndrome, of_type), rel=1e-4)
        assert mixed == pytest.approx((1 - own) * r + own * mean, rel=1e-4)
        weight, logged, average, part = evidence[code]
        assert weight == pytest.approx(alone[code] / sum(alone.values()), abs=1e-4)
        assert logged == pytest.approx(weight * math.log(FLOOR + mixed), abs=4e-4)
        assert part == pytest.approx(logged - average, abs=2e-4)
        mine, of_syndrome, of_type, back, average, rest = shown[code]
        assert back == pytest.approx(REVERSE * ((1 - own) * mine + own * relatives(of_syndrome, of_type)), abs=2e-4)
        assert rest == pytest.approx(back - average, abs=2e-4)
        assert final[code] == pytest.approx([part, rest, part + rest], abs=2e-4)
