"""The models a home knows of, read from file headers and settings: nothing is loaded or called.

It does not know what a privilege is good for.
"""

from osler.errors import OslerError
from osler.models import model_digest, model_path
from osler.models.files import read_header
from osler.models.privileges import Privileges
from osler.nouns import Noun, Privilege
from osler.settings import Settings


class Known(Noun):
    """One model. `size` in bytes (null: remote); `context` in tokens, as it would be used; `problem`: why it can't."""

    spec: str
    in_use: bool
    digest: str | None = None
    size: int | None = None
    context: int | None = None
    licence: str | None = None
    chat: bool | None = None
    adapter: str | None = None
    privileges: list[Privilege] = []
    problem: str | None = None


def catalogue(settings: Settings, privileges: Privileges) -> list[Known]:
    """The embedded model and the one the settings name, the latter first."""
    specs = dict.fromkeys([settings.models.language, "smollm2"])
    return [_known(spec, settings, privileges) for spec in specs]


def _known(spec: str, settings: Settings, privileges: Privileges) -> Known:
    in_use = spec == settings.models.language
    try:
        path = model_path(spec, settings)
        digest = model_digest(spec, settings)
        header = read_header(path) if path else None
    except OslerError as error:
        return Known(spec=spec, in_use=in_use, problem=str(error))
    wanted = settings.models.context
    return Known(
        spec=spec,
        in_use=in_use,
        digest=digest,
        size=path.stat().st_size if path else None,
        context=min(wanted, header.context or wanted) if header else wanted,
        licence=header.licence if header else None,
        chat=header.chat if header else True,
        adapter=settings.models.adapter if path else None,
        privileges=[row for row in privileges.of(digest) if row.granted and privileges.may(digest, row.task)],
    )
