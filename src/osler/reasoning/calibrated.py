"""What a model's shares of options are worth: chances and the options that stay, by the calibration of its home.

`osler audit calibration` fits it on questions of the same kind. It knows no task.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from osler.reasoning.resources import Run
from osler.text import Language


class Worth(NamedTuple):
    """`confidence`: the chance that the likeliest option is right. `plausible`: the options that hold the right one in
    the share of questions that the calibration promises."""

    confidence: float | None = None
    plausible: Sequence[str] | None = None


def kind(language: Language, read: bool) -> str:
    """Questions that are calibrated together: by language, and whether there is a text to read."""
    return f"{language}, with context" if read else language


def tempered(shares: Mapping[str, float], temperature: float) -> dict[str, float]:
    """Shares as chances (temperature scaling, Guo et al. 2017)."""
    weights = {key: share ** (1 / temperature) for key, share in shares.items()}
    total = sum(weights.values())
    return {key: weight / total for key, weight in weights.items()}


def worth(shares: Mapping[str, float], language: Language, read: bool, run: Run) -> Worth:
    """Nothing where the model has no calibration for this kind of question, and in the bench, which measures shares as
    they are."""
    from osler.models.privileges import Privileges

    sheet = Privileges(run.settings) if run.kind != "bench" and shares else None
    if sheet is None or not sheet.calibrations:
        return Worth()
    fitted = sheet.calibrations.get((run.resources.model.info.digest, kind(language, read)))
    run.note("calibration", {"kind": kind(language, read)}, fitted and fitted.temperature)
    if fitted is None:
        return Worth()
    chances = tempered(shares, fitted.temperature)
    plausible = [key for key, chance in chances.items() if chance >= fitted.least]
    return Worth(round(max(chances.values()), 4), plausible)
