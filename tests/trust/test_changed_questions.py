"""The audit's engine: the same seed makes the same changes, and what they turn is counted against what they expect."""

from pathlib import Path
from random import Random

import pytest
from tests.support.scripted import ScriptedModel

from osler.bench.choice import Item
from osler.bench.task import Bench
from osler.errors import InputError
from osler.models import ScoreRequest
from osler.settings import Settings
from osler.trust.audit import Audited, audited, table
from osler.trust.variants import Change, changes

ITEM = Item("1", "1", "Is it so?", {"A": "yes", "B": "no", "C": "maybe"}, "B")


def _audit(tmp_path: Path, model: ScriptedModel, *asked: Change) -> Audited:
    file = tmp_path / "own.jsonl"
    rows = [f'{{"question": "Is {k} even?", "options": ["yes", "no"], "answer": {k % 2}}}' for k in range(20)]
    file.write_text("\n".join(rows))
    bench = Bench(Settings(home=tmp_path / "home"))
    bench.resources.__dict__["model"] = model
    return audited(str(file), asked, bench)


def _fixed(name: str, expects: str, **fields: object) -> Change:
    return Change(name, "", expects, "test", lambda item, luck: item._replace(**fields))  # type: ignore[arg-type]


def test_order_moves_every_option_and_keeps_the_right_one() -> None:
    order = changes()["option order"]
    [made] = order.variants(ITEM).values()
    assert made == order.variants(ITEM)[""] and made.id == ITEM.id
    assert made.options[made.answer] == "no" and all(made.options[key] != ITEM.options[key] for key in ITEM.options)


def test_a_variant_that_changes_nothing_does_not_count() -> None:
    assert Change("none", "", "same", "test", lambda item, luck: item).variants(ITEM) == {}
    assert Change("none", "", "same", "test", lambda item, luck: None).variants(ITEM) == {}


def test_several_variants_have_labels_and_rows_of_their_own(tmp_path: Path) -> None:
    def of(item: Item, luck: Random) -> dict[str, Item]:
        return {"she": item._replace(context="She."), "he": item._replace(context="He.")}

    found = _audit(tmp_path, ScriptedModel(lambda request: "A"), Change("sex", "", "same", "test", of))
    assert {pair.label for pair in found.pairs} == {"she", "he"} and len(found.pairs) == 40
    assert {row.metric for row in table([found])} >= {"flip rate: sex, she", "accuracy drop: sex, he"}


def test_a_model_that_likes_the_first_letter_flips_with_the_order(tmp_path: Path) -> None:
    model = ScriptedModel(lambda request: "A")
    rows = {row.metric: row for row in table([_audit(tmp_path, model, changes()["option order"])])}
    assert rows["accuracy"].value == 0.5
    assert rows["flip rate: option order"].value == 1.0 and rows["accuracy drop: option order"].value == 0.0
    assert rows["worst-case accuracy"].value == 0.0


def test_what_must_turn_and_what_must_be_withheld(tmp_path: Path) -> None:
    def prefer(request: ScoreRequest) -> str:
        return "B" if "turned" in request.messages[-1].content else "A"

    turn, gone = _fixed("turn", "changed", question="turned", answer="B"), _fixed("gone", "refusal", question="cut")
    found = _audit(tmp_path, ScriptedModel(lambda request: "A", prefer=prefer), turn, gone)
    rows = {row.metric: row for row in table([found])}
    assert rows["stay rate: turn"].value == 0.0 and rows["accuracy drop: turn"].baseline["after"] == 1.0
    assert rows["as sure as before: gone"].value == 1.0 and "accuracy drop: gone" not in rows


def test_replies_are_kept_and_asked_once(tmp_path: Path) -> None:
    model = ScriptedModel(lambda request: "A")
    order = changes()["option order"]
    first = _audit(tmp_path, model, order)
    asked = len(model.scored)
    assert _audit(tmp_path, model, order).replies == first.replies and len(model.scored) == asked == 40


def test_p_is_adjusted_over_the_table(tmp_path: Path) -> None:
    worse = [_fixed(f"worse {k}", "same", question=f"turned {k}", answer="C") for k in (1, 2, 3)]
    rows = {row.metric: row for row in table([_audit(tmp_path, ScriptedModel(lambda request: "A"), *worse)])}
    beside = rows["accuracy drop: worse 1"].baseline
    assert beside["p"] == pytest.approx(2 / 2**10) and beside["Holm p"] == pytest.approx(6 / 2**10)
    assert rows["accuracy drop: worse 1"].value == 0.5


def test_a_task_without_options_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no options"):
        audited("concepts", [], Bench(Settings(home=tmp_path)))
