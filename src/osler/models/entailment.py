"""The verifier's model: whether a text supports a statement, as chances of the four verdicts.

It is e5-small with its upper layers fine-tuned on statement and evidence (scripts/train_entailment.py). It reads 256
tokens and knows nothing but the two texts.
"""

import functools

from osler.encoder import WEIGHTS, Branch, tokenizer
from osler.nouns import Verdict

FOLDER = WEIGHTS / "verifier"
LONGEST = 256  # tokens of statement and evidence together, as in training


class Entailment(Branch):
    """Threads may share it."""

    @functools.lru_cache(maxsize=4096)  # noqa: B019 - there is one model a process
    def chances(self, statement: str, text: str) -> dict[Verdict, float]:
        """How likely each verdict on the statement by this text is."""
        first, second = (
            encoding.ids for encoding in tokenizer().encode_batch([f"query: {statement}", f"passage: {text}"])
        )
        row = self.run([*first, *second[1:]][:LONGEST])
        return dict(zip(self.manifest["verdicts"], map(float, row), strict=True))


@functools.cache
def entailment() -> Entailment:
    return Entailment(FOLDER)
