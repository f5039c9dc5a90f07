"""Support rate: the share of a text's sentences that its source supports by Osler's verifier.

The verifier compares words, numbers, negation and direction, so a free paraphrase counts as unsupported: put the rate
of a reference that a person wrote beside it.
"""

from osler.nouns import Evidence
from osler.reasoning.verify import verify
from osler.text import sentences


def support_rate(text: str, source: str) -> float | None:
    """0 to 1; None for a text without sentences."""
    evidence = [Evidence(id="source", kind="case", text=source)]
    verdicts = [verify(text[start:end], evidence).verdict for start, end in sentences(text)]
    return verdicts.count("supported") / len(verdicts) if verdicts else None
