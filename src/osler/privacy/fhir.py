"""De-identification of FHIR JSON: by path where the standard says what stands there, by the detector in prose.

Identifiers of resources are replaced by keyed hashes so that references still meet. Dates that the policy masks keep
their year, as Safe Harbor allows, because FHIR has no placeholder for a date; a birth 90 or more years ago loses it.
"""

import base64
import binascii
import re
import tomllib
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, cast

from osler.privacy.deid import Deidentifier
from osler.privacy.spans import SpanType

_DATE = re.compile(r"((?:19|20)\d\d)(-\d\d)?(-\d\d)?(T.*)?")
_LITERAL = re.compile(r"^(.*?)([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})(/_history/.*)?$|^(urn:(?:uuid|oid):)(.+)$()()")


@cache
def _table() -> dict[str, dict[str, str]]:
    text = files("osler.privacy").joinpath("data/fhir.toml").read_text(encoding="utf-8")
    tables: dict[str, dict[str, str]] = tomllib.loads(text)
    tables["kept"] = dict.fromkeys(tables["kept"]["names"].split(), "")
    return tables


def deidentify(document: Any, masking: Deidentifier) -> Any:
    """A copy of a FHIR resource or Bundle without identifiers."""
    return _walk(document, (), {}, masking)


def _walk(value: Any, path: tuple[str, ...], parent: dict[str, Any], masking: Deidentifier) -> Any:
    if isinstance(value, dict):
        if value.get("contentType", "").startswith("text/") and isinstance(value.get("data"), str):
            value = {**value, "data": _attachment(value["data"], masking)}
        elif "contentType" in value and "data" in value:  # a picture or a scan may show anything
            value = {name: item for name, item in value.items() if name != "data"}
        resource = (str(value["resourceType"]),) if "resourceType" in value else path
        found = {name: _walk(item, (*resource, name), value, masking) for name, item in value.items()}
        return {name: item for name, item in found.items() if item is not None and name != "photo"}
    if isinstance(value, list):
        return [new for item in value if (new := _walk(item, path, parent, masking)) is not None]
    return _text(value, path, parent, masking) if isinstance(value, str) and path else value


def _text(value: str, path: tuple[str, ...], parent: dict[str, Any], masking: Deidentifier) -> str | None:
    last, table = path[-1], _table()
    kind = table["elements"].get(".".join(path[-2:])) or table["elements"].get(last)
    if last == "id":
        return masking.hashed(value)
    if (last in ("reference", "fullUrl") or path[-2:] == ("request", "url")) and (match := _LITERAL.match(value)):
        base, resource, own, _, scheme, urn = match.group(1, 2, 3, 4, 5, 6)
        return f"{scheme}{masking.hashed(urn)}" if scheme else f"{_bare(base)}{resource}/{masking.hashed(own)}"
    if last == "value" and len(path) > 1 and path[-2] == "telecom":
        kind = table["telecom"].get(str(parent.get("system")), "PHONE")
    elif last == "value" and len(path) > 1 and path[-2] == "identifier":
        codes = [coding.get("code") for coding in parent.get("type", {}).get("coding", []) if isinstance(coding, dict)]
        kind = next((table["identifier"][code] for code in codes if code in table["identifier"]), "ID")
    elif last == "display" and isinstance(parent.get("reference"), str):
        match = _LITERAL.match(parent["reference"])
        kind = table["references"].get((match.group(2) if match else "") or str(parent.get("type")), "NAME")
    elif last == "name" and len(path) == 2:
        kind = table["names"].get(path[0])
    if kind is None and (match := _DATE.fullmatch(value)) and match[2]:
        kind = "DATE"
    if kind == "DATE":
        return _date(value, last, masking)
    if kind:
        new = masking.replace(cast(SpanType, kind), value)
        return value if new is None else new
    displays = [one.get("display") for one in parent.get("coding", []) if isinstance(one, dict)]
    if (last == "display" and "code" in parent) or (last == "text" and value in displays):
        return value  # a terminology's own words
    if last == "div":
        return re.sub(r"(?<=>)[^<]+", lambda match: masking.mask(match.group()).text, value)
    return value if last in table["kept"] else masking.mask(value).text


def _date(value: str, element: str, masking: Deidentifier) -> str | None:
    match = _DATE.fullmatch(value)
    if match is None:
        return None
    action = masking.policy.action("DATE")
    old = element == "birthDate" and int(match[1]) < datetime.now(UTC).year - 89
    if action == "keep":
        return value
    if action in ("shift", "surrogate") and match[3] and not old:
        return (masking.replace("DATE", value[:10]) or value[:10]) + (match[4] or "")
    if old and masking.policy.action("AGE") != "keep":
        return None
    return f"{match[1]}-01-01T00:00:00Z" if element in ("issued", "lastUpdated") else match[1]


def _bare(base: str) -> str:
    """The address of a server in a reference names an institution."""
    return "https://example.org/fhir/" if base else ""


def _attachment(data: str, masking: Deidentifier) -> str:
    try:
        text = base64.b64decode(data, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return base64.b64encode(masking.mask(text).text.encode()).decode()
