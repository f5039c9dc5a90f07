"""Whether the configured model may do a task. It neither measures nor grants."""

from osler.reasoning.resources import Run


def privileged(task: str, run: Run) -> bool:
    """Whether the sheet of this home grants the configured model `task`; noted in the trace either way.

    A home without any grant answers at once, without looking at the model's weights.
    """
    from osler.models import model_digest
    from osler.models.privileges import Privileges

    sheet = Privileges(run.settings)
    spec = run.settings.models.language
    granted = any(row.granted and row.task == task for row in sheet.rows) and sheet.may(
        model_digest(spec, run.settings), task
    )
    run.note("privilege", {"model": spec, "task": task}, granted)
    return granted
