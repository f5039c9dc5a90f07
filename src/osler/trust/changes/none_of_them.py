"""The right option taken away and "none of the above" put in its place, which is then the right one."""

import re
from random import Random

from osler.bench.choice import Item
from osler.trust.variants import change

NONE = {"en": "None of the above", "zh": "以上都不是"}
OPEN = re.compile(r"(?i)\b(?:none|all|both|neither|above|yes|no|maybe)\b|以上|均|都|[A-E][、和]")


@change("none of the above", "the right option replaced by none of the above", expects="changed")
def none_of_them(item: Item, luck: Random) -> Item | None:
    """Not where an option speaks of other ones, or of yes and no."""
    if len(item.answer) != 1 or len(item.options) < 3 or any(OPEN.search(text) for text in item.options.values()):
        return None
    rest = [text for key, text in item.options.items() if key != item.answer]
    keys = list(item.options)
    options = dict(zip(keys, [*rest, NONE[item.language]], strict=True))
    return item._replace(options=options, answer=keys[-1])
