"""What a service knows of the patient: the client's prefetch, and what it left out, read with its token for the call.

It reads only below the FHIR servers that the settings allow, follows no redirect, keeps no cookie, and the token is
neither kept nor told. It knows no medicine.
"""

import functools
import json
import re
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, NamedTuple

from osler.errors import InputError
from osler.privacy.egress import allows, parse
from osler.server.cds_shapes import Call
from osler.server.problems import Refused
from osler.settings import Cds

PATIENT = "{{context.patientId}}"  # the one token of the templates
_SCOPE = re.compile(r"(?:patient|user|system)/(\*|\w+)\.(\*|read|c?r?u?d?s?)(?:\?\S*)?")


class Gathered(NamedTuple):
    """`entries`: entries of a Bundle; `missing`: by key the part of the record that is not there, and why (the key of
    its wording)."""

    entries: list[dict[str, Any]]
    missing: dict[str, str]


def gather(templates: Mapping[str, str], call: Call, patient: str, settings: Cds) -> Gathered:
    """What was prefetched, and what could be fetched of the rest."""
    given = call.prefetch or {}
    found = {key: value for key, value in given.items() if value is not None}
    kinds = {str(entry["resource"].get("resourceType")) for value in found.values() for entry in entries_of(value)}
    asked = {key: query for key, query in templates.items() if key not in given and _kind(query) not in kinds}
    missing = {key: why for key, query in asked.items() if (why := _barred(query, call, settings))}
    fetched = {key: query.replace(PATIENT, patient) for key, query in asked.items() if key not in missing}
    pool, deadline = ThreadPoolExecutor(max(1, len(fetched)), "osler-fhir"), time.monotonic() + settings.timeout
    jobs = {key: pool.submit(_read, call, query, settings.timeout) for key, query in fetched.items()}
    for key, job in jobs.items():
        try:
            found[key] = job.result(max(0.0, deadline - time.monotonic()))
        except (OSError, ValueError, TimeoutError, RecursionError):
            missing[key] = "failed"
    pool.shutdown(wait=False, cancel_futures=True)
    for key, value in found.items():
        if _outcome(value) or any(map(_fault, entries_of(value))):
            missing[key] = "reported"
        elif "_count=" not in templates.get(key, "_count=") and _goes_on(value):
            missing[key] = "more_pages"
    entries = [one for value in found.values() for one in entries_of(value) if not _outcome(one["resource"])]
    return Gathered(entries, missing if entries else {**dict.fromkeys(templates, "none"), **missing})


def belonging(entries: list[dict[str, Any]], patient: str, where: str, named: str) -> list[dict[str, Any]]:
    """The entries of a Bundle with the patient among them. Raises Refused for another patient's."""
    people = [one["resource"] for one in entries if one["resource"].get("resourceType") == "Patient"]
    if any(person.setdefault("id", patient) != patient for person in people):
        raise Refused(400, f"{where}: holds another patient than {named}", where)
    return entries if people else [{"resource": {"resourceType": "Patient", "id": patient}}, *entries]


def collected(entries: list[dict[str, Any]]) -> bytes:
    """A record of these entries. Raises RecursionError for one that is nested too deeply."""
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return json.dumps(bundle, ensure_ascii=False).encode("utf-8", "replace")


def _barred(query: str, call: Call, settings: Cds) -> str | None:
    """Why a query may not be sent, null if it may."""
    base, token = call.fhir_server, call.fhir_authorization
    if base is None or token is None:
        return "not_given"
    try:
        target = parse(base)
        allowed = any(allows(parse(prefix), target) for prefix in settings.fhir)
    except InputError:
        allowed = False
    if not allowed or not (target.scheme == "https" or target.loopback):
        return "not_allowed"
    needed = ("*", "read", "s" if "?" in query else "r")
    scopes = [match for scope in token.scope.split() if (match := _SCOPE.fullmatch(scope))]
    if not any(one[1] in ("*", _kind(query)) and any(right in one[2] for right in needed) for one in scopes):
        return "no_scope"
    return "expired" if token.expires_in <= 0 else None


def _read(call: Call, query: str, timeout: float) -> dict[str, Any]:
    """What the client's FHIR server answers. Raises OSError or ValueError, which say nothing of the token."""
    import httpx

    base, token = call.fhir_server, call.fhir_authorization
    assert base and token, "a call without them is barred"
    headers = {"Authorization": f"Bearer {token.access_token}", "Accept": "application/fhir+json"}
    timeout = min(timeout, token.expires_in)
    try:
        answer = outgoing(parse(base).loopback).get(f"{base.rstrip('/')}/{query}", headers=headers, timeout=timeout)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OSError(type(error).__name__) from None
    content = answer.json() if answer.status_code == 200 else None
    if not isinstance(content, dict):
        raise ValueError("no resource")
    return content


@functools.cache
def outgoing(loopback: bool) -> Any:
    """A client that follows no redirect and keeps no cookie."""
    import httpx

    none = CookieJar(DefaultCookiePolicy(allowed_domains=[]))  # one patient's session is not another's
    # A proxy would carry off what must stay on this machine.
    return httpx.Client(follow_redirects=False, trust_env=not loopback, cookies=none)


def _kind(query: str) -> str:
    return re.split("[/?]", query)[0]


def entries_of(value: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries that a resource brings: a Bundle's own, else itself."""
    if value.get("resourceType") != "Bundle":
        return [{"resource": value}]
    return [one for one in _objects(value.get("entry")) if isinstance(one.get("resource"), dict)]


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _goes_on(value: dict[str, Any]) -> bool:
    return any(link.get("relation") == "next" for link in _objects(value.get("link")))


def _outcome(value: dict[str, Any]) -> bool:
    return value.get("resourceType") == "OperationOutcome"


def _fault(entry: dict[str, Any]) -> bool:
    """Whether an entry of a search reports that it failed; a hint on the search is none."""
    issues = _objects(entry["resource"].get("issue")) if _outcome(entry["resource"]) else []
    return any(issue.get("severity") in ("error", "fatal") for issue in issues)
