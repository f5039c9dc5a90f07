"""What a clinician changed of the findings: rejected, turned round, coded otherwise, added.

It changes the list that the consult goes on with; the record itself stays as it was written.
"""

from collections.abc import Sequence

from osler.errors import InputError
from osler.nouns import Finding, Noun


class Edit(Noun):
    """`code`, `source`, `start` name a finding as Osler read it (null: a finding is added; a null `start` means every
    mention of the code in that source, a null `source` everywhere). `finding` takes its place, null rejects it."""

    code: str | None = None
    source: str | None = None
    start: int | None = None
    finding: Finding | None = None

    def names(self, item: Finding) -> bool:
        return self.code == item.code and self.source in (None, item.source) and self.start in (None, item.start)


def edited(findings: Sequence[Finding], edits: Sequence[Edit]) -> list[Finding]:
    """The findings after the edits, in order. Raises InputError for an edit of nothing."""
    now = list(findings)
    for number, edit in enumerate(edits):
        if edit.code is None and edit.finding is not None:
            now.append(edit.finding)
        elif edit.code is not None and any(edit.names(item) for item in now):
            now = [
                (edit.finding or item) if edit.names(item) else item
                for item in now
                if edit.finding or not edit.names(item)
            ]
        else:
            raise InputError(f"no finding {edit.code} to edit", where=f"edits[{number}]")
    return now
