"""An audit: the items of a choice task and what changes make of them, asked of one model by one method, and compared.

Replies are kept by the bench's runner, so an audit that was interrupted goes on where it stood. What a change is, the
change says; what follows for a deployment, a person.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from osler.bench.choice import ChoiceTask, Item
from osler.bench.compare import Comparison, adjusted, compare
from osler.bench.figures import Figure, Reply, figure, share, unread
from osler.bench.runner import Finished, RunCard, answered, card_of, drawn
from osler.bench.task import Bench, Progress
from osler.bench.tasks import find_task
from osler.errors import InputError
from osler.nouns import Measurement
from osler.settings import Settings
from osler.trust.variants import Change

TASKS = ("medqa", "pubmedqa", "bioasq_yesno", "cmexam")  # that audits ask if none is named
LESS_SURE = 0.05  # how much confidence must fall to count as lost


class Pair(NamedTuple):
    """An item before and after a change, with the replies to both. `label`: of the variant, if there are several."""

    change: Change
    label: str
    before: Item
    after: Item
    was: Reply
    now: Reply

    @property
    def turned(self) -> bool:
        """Whether another option was chosen, by what the options say; nothing chosen is a choice of its own."""
        return meaning(self.before, self.was) != meaning(self.after, self.now)

    @property
    def held(self) -> bool:
        """Whether what the change expects came true: the answer stayed, turned, or was withheld or less sure."""
        if self.change.expects == "refusal":
            sure = (self.was.confidence or 0.0) - (self.now.confidence or 0.0)
            return self.now.said is None or sure >= LESS_SURE
        return self.turned == (self.change.expects == "changed")


class Audited(NamedTuple):
    """A task's audit. `unfit`: to how many items each change does not apply."""

    card: RunCard
    task: ChoiceTask
    items: list[Item]
    replies: list[Reply]
    pairs: list[Pair]
    unfit: dict[str, int]


def configured(settings: Settings, model: str) -> Settings:
    """The settings with this model in use."""
    return settings.model_copy(update={"models": settings.models.model_copy(update={"language": model})})


def meaning(item: Item, reply: Reply) -> tuple[str, ...] | None:
    """What a reply chose, in the words of the options."""
    return None if reply.said is None else tuple(sorted(item.options[key] for key in reply.said))


def audited(
    name: str,
    changes: Sequence[Change],
    bench: Bench,
    method: str | None = None,
    part: str = "report",
    limit: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Audited:
    """Ask a task's items and all variants of them. Raises what the bench's runner raises, and InputError for a task
    without options."""
    task = find_task(name)
    if not isinstance(task, ChoiceTask):
        raise InputError(f"{name} has no options: its items can't be changed", hint="Audits take question tasks.")
    items: list[Item] = drawn(task.items(bench.data, part), limit, seed)
    if not items:
        raise InputError(f"{name} has no items in its {part} part")
    card = card_of(task, items, part, limit, seed, method, bench)
    made = [
        [(change, label, after) for change in changes for label, after in change.variants(item, seed).items()]
        for item in items
    ]
    # The variants of an item one after another: a model that keeps the beginning of its last prompt reads it once.
    asked = [one for item, mine in zip(items, made, strict=True) for one in (item, *(after for *_, after in mine))]
    later = iter(answered(task, asked, card, bench, progress))
    replies, pairs = [], []
    for item, mine in zip(items, made, strict=True):
        replies.append(was := next(later))
        pairs += [Pair(change, label, item, after, was, next(later)) for change, label, after in mine]
    fit = [{change.name for change, *_ in mine} for mine in made]
    unfit = {change.name: sum(change.name not in names for names in fit) for change in changes}
    return Audited(card, task, items, replies, pairs, unfit)


def table(audits: Sequence[Audited]) -> list[Measurement]:
    """The rows of several audits: accuracy as it is, then by change the drop (before less after, over the items it
    applies to), how often its expectation failed, and the worst case over all changes. `p` among what stands beside a
    drop is McNemar's, `Holm p` adjusted for all drops of the table. An answer must turn where it was right before."""
    paired = [(one, title, pairs, _compared(one, pairs)) for one in audits for title, pairs in _by_variant(one)]
    compared = adjusted([comparison for *_, comparison in paired])
    rows: list[Measurement] = []
    for one in audits:
        rows.append(measured(one.card, one.replies, figure("right", one.replies, "accuracy")))
        for (mine, title, pairs, _), found in zip(paired, compared, strict=True):
            if mine is one:
                after = [pair.now for pair in pairs]
                rows += [measured(one.card, after, made) for made in _figures(one, title, pairs, found)]
        if one.pairs:
            rows.append(measured(one.card, [pair.now for pair in one.pairs], _worst(one)))
    return rows


def _by_variant(one: Audited) -> Iterator[tuple[str, list[Pair]]]:
    for name, label in sorted({(pair.change.name, pair.label) for pair in one.pairs}):
        pairs = [pair for pair in one.pairs if (pair.change.name, pair.label) == (name, label)]
        yield f"{name}, {label}" if label else name, pairs


def _compared(one: Audited, pairs: Sequence[Pair]) -> Comparison:
    def finished(replies: list[Reply], items: list[Item]) -> Finished:
        return Finished(one.card, one.task, items, replies, [])

    before = finished([pair.was for pair in pairs], [pair.before for pair in pairs])
    return compare(before, finished([pair.now for pair in pairs], [pair.after for pair in pairs]))


def _figures(one: Audited, title: str, pairs: Sequence[Pair], found: Comparison) -> Iterator[Figure]:
    expects, fit = pairs[0].change.expects, {"not applicable": float(one.unfit[pairs[0].change.name])}
    judged = [pair for pair in pairs if expects != "changed" or pair.was.scores["right"]]
    lost = sum(not pair.held for pair in judged)
    if expects != "refusal":
        low, high = found.interval
        beside = {"before": found.values[0], "after": found.values[1], **fit}
        chance = {"p": found.p or 0.0, "Holm p": found.adjusted or 0.0} if found.p is not None else {}
        drop = Figure(
            f"accuracy drop: {title}", 0.0 - found.difference, (0.0 - high, 0.0 - low), found.n, 0, beside | chance
        )
        yield drop._replace(unparsed=unread([pair.now for pair in pairs]))
    failed = {"same": "flip rate", "changed": "stay rate", "refusal": "as sure as before"}[expects]
    yield share(f"{failed}: {title}", lost, len(judged), unread([pair.now for pair in judged]), fit)


def _worst(one: Audited) -> Figure:
    """Each item as right as it is or after that change which does it most harm; nothing is right that is withheld."""
    least = {reply.id: reply.scores["right"] for reply in one.replies}
    for pair in one.pairs:
        if pair.change.expects != "refusal":
            least[pair.before.id] = min(least[pair.before.id], pair.now.scores["right"])
    worst = [reply._replace(scores={"right": least[reply.id]}) for reply in one.replies]
    plain = sum(reply.scores["right"] for reply in one.replies) / len(one.replies)
    return figure("right", worst, "worst-case accuracy", baseline={"as it is": plain})


def measured(card: RunCard, replies: Sequence[Reply], made: Figure) -> Measurement:
    """A figure as a row, with what was asked and how long the replies took."""
    return Measurement(
        **made._asdict(),
        task=card.task,
        model=card.model["spec"] if card.model else None,
        method=card.method,
        split=card.split,
        prompt_hash=card.prompt_hash,
        data_hash=card.data_hash,
        versions=card.versions,
        seconds=round(sum(reply.seconds for reply in replies), 3),
    )
