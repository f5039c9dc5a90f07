"""Whether the configured model may do a task, and why not. It neither measures nor grants."""

from osler.reasoning.resources import Run
from osler.text import Language

CHINESE = "chinese"  # the privilege that Chinese input needs beside the task's own


def withheld(task: str, language: Language, run: Run) -> str | None:
    """Why the configured model may not do `task` in a language, for the reader; None if it may. Noted in the trace.

    A home without any grant answers at once, without looking at the model's weights. The bench asks any model: its
    measurements are what privileges come from.
    """
    from osler.models import language_model, model_digest
    from osler.models.privileges import Privileges

    if run.kind == "bench":
        return None
    sheet, spec = Privileges(run.settings), language_model(run.settings)
    needed = [task, CHINESE] if language == "zh" else [task]
    digest = model_digest(spec, run.settings) if sheet.rows else ""
    why = next((reason for name in needed if (reason := sheet.why_not(digest, name))), None)
    run.note("privilege", {"model": spec, "task": task, "language": language}, why is None)
    return f"{spec} {why}" if why else None
