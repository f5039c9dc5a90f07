"""From a consult's red flags, alerts and gaps to CDS Hooks cards. What a card says of medicine is the consult's.

Words of the record are escaped: a client renders `detail` as Markdown (`data/card.md.jinja`).
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

import jinja2

from osler import __version__
from osler.clinic.consult import Consult
from osler.knowledge.drugs.interactions import SEVERITIES, STARTER
from osler.nouns import Alert
from osler.server.look import HERE
from osler.text import shorten

CDS = tomllib.loads((HERE / "data" / "cds.toml").read_text(encoding="utf-8"))
SUMMARY = 139  # "<140-character"
INDICATORS = ("critical", "warning", "info")
_MARKS = re.compile(r"[\\`*_\[\]<>#|~&!@]|(?<=www)\.|:(?=//)")


class Ordered(NamedTuple):
    """The orders that a call is about, by the path of the drug in the case: what a client may delete, null for one
    without an id. `unread`: those that name no drug."""

    drugs: Mapping[str, str | None]
    unread: Sequence[str] = ()


def escaped(text: str) -> str:
    """Text on one line, which Markdown then shows as it is: no markup, no link."""
    return _MARKS.sub(r"\\\g<0>", " ".join(text.split()))


_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(HERE / "data"), undefined=jinja2.StrictUndefined, trim_blocks=True, autoescape=False
)
_TEMPLATES.filters["escaped"] = escaped


class Teller:
    """Tells of one consult in a service's terms. `base`: the address of this server."""

    def __init__(self, consult: Consult, service: Mapping[str, Any], base: str, language: str) -> None:
        self.consult, self.service, self.base, self.language = consult, service, base, language
        self.says = CDS[language]

    def cards(self, orders: Ordered | None, missing: Mapping[str, str]) -> list[dict[str, Any]]:
        """The cards, the most urgent first; none where all was checked and nothing is worth an interruption. Of
        `orders` only what concerns them is told; without drugs among them, nothing."""
        told = [self._alert(one, orders) for one in self._alerts(orders)]
        for flag in self.consult.red_flags if self.service["flags"] else ():
            because = self.says["join"].join(flag.because)
            summary = self.says["flag"].format(label=flag.label, because=because) if because else flag.label
            told.append(self._card("red-flag", flag.urgency, summary, flag.evidence, do=flag.action))
        told.sort(key=lambda card: INDICATORS.index(card["indicator"]))
        told += self._uncovered(orders) if orders else []
        if missing and (orders is None or orders.drugs or orders.unread):
            lines = [{"what": self.says["parts"][key], "why": self.says[why]} for key, why in missing.items()]
            summary = self.says["missing"].format(parts=self.says["join"].join(line["what"] for line in lines))
            told.append(self._card("coverage", "minor", summary, lines=lines))
        return told

    def _alerts(self, orders: Ordered | None) -> list[Alert]:
        """Alerts that are severe enough here, each pair of drugs once, by the most severe."""
        worst: dict[object, Alert] = {}
        for one in self.consult.alerts:
            concerns = orders is None or not orders.drugs.keys().isdisjoint(one.evidence)
            if concerns and SEVERITIES.index(one.severity) <= SEVERITIES.index(self.service["least"]):
                worst.setdefault((frozenset(one.drugs), one.kind if len(one.drugs) == 1 else None), one)
        return list(worst.values())

    def _alert(self, one: Alert, orders: Ordered | None) -> dict[str, Any]:
        labels = {drug.source: drug.label for drug in self.consult.case.medications}
        suggestions: list[dict[str, Any]] = []
        for path, order in orders.drugs.items() if orders else ():
            if order and path in one.evidence:
                label = self.says["remove"].format(drug=shorten(labels[path], 80))
                action = {"type": "delete", "description": label, "resourceId": order}
                suggestions.append({"label": label, "uuid": str(uuid4()), "actions": [action]})
        if one.severity == "contraindicated" and len(suggestions) == 1:
            suggestions[0]["isRecommended"] = True
        more: dict[str, Any] = {"suggestions": suggestions, "selectionBehavior": "at-most-one"} if suggestions else {}
        reasons = [self._coding("override-reasons", reason["code"], reason[self.language]) for reason in CDS["reasons"]]
        said = {"message": one.message, "kind": self.says[one.kind], "severity": self.says["severity"][one.severity]}
        card = self._card(one.kind, one.severity, self.says["alert"].format_map(said), one.evidence, do=one.management)
        return card | more | {"overrideReasons": reasons}

    def _uncovered(self, orders: Ordered) -> list[dict[str, Any]]:
        """One card that names the ordered drugs on which no source speaks, and the sources that do."""
        labels = {drug.label for drug in self.consult.case.medications}
        lines = [
            {
                "what": gap.what,
                "why": self.says["unknown" if "not recognised" in gap.why and gap.what in labels else "no_data"],
            }
            for gap in self.consult.coverage.not_checked
            if not orders.drugs.keys().isdisjoint(gap.evidence)
        ]
        lines += [{"what": name, "why": self.says["unread"]} for name in orders.unread]
        sets = [
            self.says["starter"].format(version=version)
            if name.endswith(STARTER)
            else f"{name.split(':')[1]} {version}"
            for name, version in self.consult.coverage.knowledge.items()
            if name.startswith("interactions:")
        ]
        summary = self.says["uncovered"].format(drugs=self.says["join"].join(line["what"] for line in lines))
        return [self._card("coverage", "minor", summary, lines=lines, sets=sets)] if lines else []

    def _card(
        self, topic: str, grade: str, summary: str, evidence: Sequence[str] = (), do: str = "",
        lines: Sequence[Mapping[str, str]] = (), sets: Sequence[str] = (),
    ) -> dict[str, Any]:  # fmt: skip
        behind = [item for item in self.consult.evidence if item.id in evidence]
        said = [item.source for item in behind if item.kind != "record" and item.source.title]
        sources = list(dict.fromkeys(f"{one.title} ({one.year})" if one.year else str(one.title) for one in said))
        detail = _TEMPLATES.get_template("card.md.jinja").render(
            says=self.says, topic=self.says[topic], grade=self.says["severity"][grade] if evidence else "", do=do,
            summary=summary, lines=lines, sets=sets, sources=sources, version=__version__, trace=self.consult.trace_id,
            record=[item.text for item in behind if item.kind == "record"],
        )  # fmt: skip
        source = {"label": sources[0] if sources else "Osler", "topic": self._coding("topics", topic, self.says[topic])}
        address = said[0].url if said else self.base
        return {
            "uuid": str(uuid4()),
            "summary": shorten(summary, SUMMARY),
            "indicator": CDS["indicator"][grade],
            "detail": detail.strip(),
            "source": source | ({"url": address} if address and address.startswith("http") else {}),
            "links": [
                {"label": self.says["open"], "url": f"{self.base}/consult/{self.consult.trace_id}", "type": "absolute"}
            ],
        }

    @staticmethod
    def _coding(system: str, code: str, display: str) -> dict[str, str]:
        return {"system": f"urn:osler:cds-{system}", "code": code, "display": display}
