"""Write the JSON Schemas of everything Osler prints to docs/schemas/, from the models themselves.

`python scripts/build_schemas.py --check` only compares and exits 1 if a file is stale.
"""

import json
import sys
from pathlib import Path

from pydantic import BaseModel

from osler import nouns
from osler.clinic.consult import Consult
from osler.clinic.reports import Report
from osler.education.exams import Exam
from osler.education.explaining import Explanation
from osler.education.quiz import Quiz
from osler.record.case import Case

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "schemas"
MODELS: tuple[type[BaseModel], ...] = (
    Case,
    Consult,
    Report,
    Quiz,
    Exam,
    Explanation,
    nouns.Alert,
    nouns.Answer,
    nouns.Coverage,
    nouns.Evidence,
    nouns.Feedback,
    nouns.Finding,
    nouns.Measurement,
    nouns.NextQuestion,
    nouns.Privilege,
    nouns.QuizItem,
    nouns.RankedDisease,
    nouns.RedFlag,
    nouns.Statement,
    nouns.Trace,
)


def schema(model: type[BaseModel]) -> str:
    content = model.model_json_schema(mode="serialization", by_alias=True)
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **content}, indent=1) + "\n"


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    stale = []
    for model in MODELS:
        path = FOLDER / f"{model.__name__}.json"
        text = schema(model)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8")
    if stale:
        print(f"{'stale' if '--check' in sys.argv else 'written'}: {', '.join(stale)}")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
