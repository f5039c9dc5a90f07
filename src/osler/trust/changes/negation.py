"""The question turned into its opposite: yes must become no."""

from random import Random

from osler.bench.choice import Item
from osler.trust.variants import change

ASKED = {
    "en": "Is it right to answer the following question with no? {}",
    "zh": "对下面的问题应当回答“否”吗？{}",
}
OPPOSITE = {"yes": "no", "no": "yes", "是": "否", "否": "是"}


@change("negation", "whether no is the right answer is asked", expects="changed")
def negation(item: Item, luck: Random) -> Item | None:
    said = item.options.get(item.answer, "").lower()
    keys = {text.lower(): key for key, text in item.options.items()}
    if OPPOSITE.get(said) not in keys or not item.context:
        return None
    return item._replace(question=ASKED[item.language].format(item.question), answer=keys[OPPOSITE[said]])
