"""Audits of rules: what a room found before and after a change, by text."""

from collections.abc import Collection
from random import Random

from osler.bench.choice import Item
from osler.trust.audit import table
from osler.trust.rules import DENIAL, NOTHING, OPPOSITE, rewrites, rules, text
from osler.trust.variants import Change


def _words(item: Item) -> Collection[str]:
    denied = "no evidence" in item.question
    return [word for word in ("fever", "cough") if word in item.question and not denied]


def _lose(name: str, lost: str) -> Change:
    def of(item: Item, luck: Random) -> Item:
        return item._replace(question=item.question.replace(lost, "?"))

    return Change(name, "", "same", "test", of)


def test_recall_before_and_after_a_change() -> None:
    items = [text(str(k), str(k), "fever and cough", ["fever", "cough"]) for k in range(8)]
    items += [text(f"none {k}", f"none {k}", "well", []) for k in range(4)]
    found = rules("words", items, _words, [_lose("loses", "cough")], "tune")
    rows = {row.metric: row for row in table([found])}
    assert rows["accuracy"].value == 1.0 and items[-1].options == {"A": NOTHING}
    drop = rows["accuracy drop: loses"]
    assert (drop.value, drop.n, drop.baseline["after"], drop.baseline["not applicable"]) == (0.5, 8, 0.5, 4)
    assert rows["flip rate: loses"].value == 1.0 and rows["worst-case accuracy"].value == (8 * 0.5 + 4) / 12
    assert all(row.model is None and row.method == "rules" for row in rows.values())


def test_a_denied_finding_must_no_longer_be_found() -> None:
    items = [text("1", "1", "with fever", ["fever"])._replace(subject="fever")]
    found = rules("words", items, _words, [DENIAL], "tune")
    assert found.pairs[0].after.question == "with no evidence of fever"
    assert {row.metric: row.value for row in table([found])}["stay rate: finding denied"] == 0.0


def test_a_negated_statement_says_the_opposite_once() -> None:
    item = Item("1", "1", "Zinc was useful and is cheap.", {"A": "supported"}, "A", context="Zinc was useful.")
    assert OPPOSITE.variants(item)[""].question == "Zinc was not useful and is cheap."
    assert not OPPOSITE.variants(item._replace(question="Zinc was not useful."))
    assert not OPPOSITE.variants(item._replace(options={"A": "contradicted"}))
    assert {"typos", "OCR noise", "letter case"} <= {change.name for change in rewrites()}
