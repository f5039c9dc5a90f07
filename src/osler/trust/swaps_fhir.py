"""A demographic attribute changed in FHIR: the elements that `data/swaps.toml` names, and the narrative as any text."""

from collections.abc import Iterator
from typing import Any

from osler.trust.swaps import Why, exception, swap, table

TEXTS = frozenset(("div", "text", "conclusion", "description", "valueString"))


def swap_resource(resource: dict[str, Any], attribute: str, value: str) -> tuple[dict[str, Any] | None, Why | None]:
    """A resource or bundle of a patient of another group; None, and why, where that would touch its medicine or
    changes nothing."""
    if exception("\n".join(_strings(resource)), attribute):
        return None, "exception"
    made: dict[str, Any] = _changed(resource, (), attribute, value)
    return (None, "absent") if made == resource else (made, None)


def _strings(node: Any) -> Iterator[str]:
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from [child] if isinstance(child, str) else _strings(child)


def _changed(node: Any, trail: tuple[str, ...], attribute: str, value: str) -> Any:
    """`trail`: keys, resource types and extensions on the way here."""
    if isinstance(node, list):
        return [_changed(child, trail, attribute, value) for child in node]
    if isinstance(node, str):
        return swap(node, attribute, value).text or node if trail[-1] in TEXTS else node
    if not isinstance(node, dict):
        return node
    named = node.get("resourceType") or str(node.get("url", "")).rpartition("/")[2]
    here = (*trail, named) if named else trail
    made = {key: _changed(child, (*here, key), attribute, value) for key, child in node.items()}
    place = "/" + "/".join(part for part in here if part != "extension")
    for rule in table()["fhir"]:
        known = rule["attribute"] == attribute and rule["key"] in node and value in rule["values"]
        if known and place.endswith("/" + rule["at"]):
            made[rule["key"]] = rule["values"][value]
    if (
        attribute == "name"
        and place.endswith("/Patient")
        and "name" in node
        and node.get("gender") in ("female", "male")
    ):
        made["name"] = [_name(node["gender"], value)]
    return made


def _name(sex: str, value: str) -> dict[str, Any]:
    names = table()["name"]
    if value in names["columns_zh"] and value not in names["columns"]:
        return {"text": names[f"{sex}_zh"].split(" | ")[names["columns_zh"].index(value)]}
    column = names["columns"].index(value)
    given, family = (names[key].split(" | ")[column].split(" / ")[0] for key in (sex, "surname"))
    return {"family": family, "given": [given]}
