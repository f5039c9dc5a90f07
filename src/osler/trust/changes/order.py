"""The options in another order."""

from random import Random

from osler.bench.choice import Item
from osler.trust.variants import change


@change("option order", "the options turned round, so that each stands under another letter")
def order(item: Item, luck: Random) -> Item:
    keys = list(item.options)
    places = luck.randrange(1, len(keys))
    now = dict(zip(keys, keys[places:] + keys[:places], strict=True))
    options = {key: item.options[old] for key, old in sorted((new, old) for old, new in now.items())}
    return item._replace(options=options, answer="".join(sorted(now[key] for key in item.answer)))
