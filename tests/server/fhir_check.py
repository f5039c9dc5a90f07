"""Whether a resource is valid FHIR R4, as far as can be checked without a terminology server.

Structure, cardinality and primitive types are checked by `fhir.resources`, whose R4B models are those of R4 for the
types that are used here; codes with a required binding and the types that references may have, by the lists in its
models. The rest are HL7's invariants that concern these resources, written down here.
"""

import re
from xml.etree import ElementTree

from fhir.resources.R4B import get_fhir_model_class
from pydantic import BaseModel

XHTML = "{http://www.w3.org/1999/xhtml}"


def valid(value):
    """The resource, which holds. `value`: as it came, in JSON."""
    check_model(get_fhir_model_class(value["resourceType"]).model_validate(value))
    check_no_empty(value)
    check_contained(value)
    if value["resourceType"] == "Bundle":
        check_bundle(value)
    return value


def check_model(model, where=""):
    for name, field in type(model).model_fields.items():
        held = getattr(model, name, None)
        known = field.json_schema_extra or {}
        for one in held if isinstance(held, list) else [held]:
            if one is None:
                continue
            place = f"{where}.{name}"
            if known.get("enum_values") and name != "format":  # any MIME type, too
                assert one in known["enum_values"], f"{place}: {one!r} is not a code of the required binding"
            types = known.get("enum_reference_types")
            if types and isinstance(one, BaseModel):
                named = getattr(one, "type", None) or (getattr(one, "reference", None) or "").partition("/")[0]
                assert not named or named.startswith("#") or "Resource" in types or named in types, f"{place}: {named}"
            if isinstance(one, BaseModel):
                check_model(one, place)


def check_no_empty(value, where="", name=""):
    """No null and nothing empty; no string of spaces; narratives are XHTML with words."""
    if name == "div":
        tree = ElementTree.fromstring(value)
        assert tree.tag == f"{XHTML}div" and "".join(tree.itertext()).strip(), where
    assert value not in (None, "", [], {}), where
    assert not isinstance(value, str) or value.strip(), where
    for key, held in value.items() if isinstance(value, dict) else ():
        check_no_empty(held, f"{where}.{key}", key)
    for n, held in enumerate(value if isinstance(value, list) else ()):
        check_no_empty(held, f"{where}[{n}]")


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str) and value.get("resourceType") != "DetectedIssue":
            yield value["reference"]
        for held in value.values():
            yield from references(held)
    for held in value if isinstance(value, list) else ():
        yield from references(held)


def check_contained(value):
    """dom-2 to dom-4 and ref-1: what is contained is referred to, holds nothing further, and has no version."""
    inside = [one["id"] for one in value.get("contained", [])]
    local = {one[1:] for one in references(value) if one.startswith("#")}
    if value["resourceType"] != "Bundle":
        assert local == set(inside) and len(inside) == len(local)
    for one in value.get("contained", []):
        assert "contained" not in one and not {"versionId", "lastUpdated"} & set(one.get("meta", {}))


def check_bundle(value):
    """bdl-1 to bdl-8; the addresses are the resources' own; each entry is valid by itself."""
    searched = value["type"] == "searchset"
    assert searched or "total" not in value
    addresses = [entry.get("fullUrl") for entry in value.get("entry", []) if entry.get("fullUrl")]
    assert len(set(addresses)) == len(addresses)
    for entry in value.get("entry", []):
        assert ("search" in entry) == searched and not {"request", "response"} & set(entry)
        one = valid(entry["resource"])
        if "fullUrl" in entry:
            assert entry["fullUrl"].endswith(f"/fhir/{one['resourceType']}/{one['id']}")
            assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", one["id"])


def check_resolves(bundle):
    """Every reference of a collection leads to an entry of it, or to what the resource contains."""
    there = {"/".join(entry["fullUrl"].rsplit("/", 2)[1:]) for entry in bundle["entry"] if "fullUrl" in entry}
    found = [one for entry in bundle["entry"] for one in references(entry["resource"])]
    assert found and all(one.startswith("#") or one in there for one in found)
