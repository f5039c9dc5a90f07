"""The nouns that travel between rooms and out of the program (the contract of every `--json`).

Null means "not known"; an empty list means "looked, none found". Everything here is frozen. What is known of
one patient, the `Case`, lives in `record`, because only readers make one.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["present", "absent", "uncertain"]
Experiencer = Literal["patient", "family", "other"]
Time = Literal["current", "historical", "hypothetical"]
Verdict = Literal["supported", "partial", "unsupported", "contradicted"]
EvidenceKind = Literal["passage", "edge", "path", "record", "case", "image"]
Mode = Literal["extractive", "generative"]
Interval = tuple[float, float]


class Noun(BaseModel):
    """Base of all travelling nouns: frozen, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Finding(Noun):
    """A finding of the record: an ontology term, who has it, when, and where it is written.

    `start`, `end`: code points into the document named by `source` (a note id or a FHIR path).
    """

    code: str
    label: str
    status: Status = "present"
    experiencer: Experiencer = "patient"
    time: Time = "current"
    text: str | None = None
    start: int | None = None
    end: int | None = None
    source: str | None = None
    value: float | None = None
    unit: str | None = None


class Source(Noun):
    """Where a piece of evidence comes from. `start`, `end`: code points into the document."""

    title: str | None = None
    section: str | None = None
    page: int | None = None
    year: int | None = None
    licence: str | None = None
    url: str | None = None
    document_id: str | None = None
    start: int | None = None
    end: int | None = None


class Evidence(Noun):
    """A passage, graph edge or path, record element, case or image region that a statement may rest on."""

    id: str
    kind: EvidenceKind
    text: str
    score: float | None = None
    source: Source = Source()
    valid_from: str | None = None
    superseded_by: str | None = None
    retracted: bool = False


class Statement(Noun):
    """One sentence of an answer or report, the evidence it cites and what verification found. `cautions`: what a reader
    must know of the evidence (retracted, superseded, old, another passage says otherwise)."""

    text: str
    evidence: list[str] = []
    verdict: Verdict = "unsupported"
    section: str | None = None
    cautions: list[str] = []


class Abstention(Noun):
    """Why no answer is given and what would be needed for one."""

    reason: str
    missing: list[str] = []


class ModelReference(Noun):
    spec: str
    digest: str | None = None


class Answer(Noun):
    """A checked answer. `confidence` is null unless it was calibrated, as is `plausible`: the options that hold the
    right one nine times in ten; `shares`: of votes or probability by option, as the model gave them; `next_question`:
    what to ask or examine where the case is not clear; `abstained` is null when it answers; `withheld`: why the
    configured model was not asked, null where it was or none was wanted."""

    question: str
    statements: list[Statement] = []
    choice: str | None = None
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    shares: dict[str, float] | None = None
    plausible: list[str] | None = None
    next_question: str | None = None
    abstained: Abstention | None = None
    method: str
    model: ModelReference | None = None
    mode: Mode = "extractive"
    withheld: str | None = None
    trace_id: str | None = None


class Row(Noun):
    """One annotation row behind a contribution: what the source says of this term in this disease."""

    disease: str
    term: str
    frequency: str | None = None
    reference: str | None = None


class Contribution(Noun):
    """How much one finding of the case moves one disease, with the rows that say so."""

    code: str
    label: str
    score: float
    rows: list[Row] = []


class MissingFinding(Noun):
    """A finding the disease usually has and the case does not mention."""

    code: str
    label: str
    weight: float


class RankedDisease(Noun):
    """`score` is log-odds-like and comparable within one case only; `probability` stays null without a named
    reference population (`population`)."""

    id: str
    equivalents: list[str] = []
    label: str
    score: float
    probability: Annotated[float, Field(ge=0, le=1)] | None = None
    population: str | None = None
    for_: list[Contribution] = Field(default=[], alias="for")
    against: list[Contribution] = []
    missing: list[MissingFinding] = []

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


class NextQuestion(Noun):
    """What to ask or examine next; `expected_information` in bits over the present differential."""

    code: str
    label: str
    kind: Literal["history", "examination", "test"]
    expected_information: float
    question: str


class RedFlag(Noun):
    label: str
    because: list[str]
    action: str
    urgency: Literal["immediate", "urgent", "soon"]
    evidence: list[str] = []


class Alert(Noun):
    """A drug-safety alert. `evidence` lists ids of the sources and record elements behind it."""

    kind: Literal["interaction", "allergy", "duplicate", "dose", "renal", "pregnancy", "condition"]
    severity: Literal["contraindicated", "major", "moderate", "minor"]
    drugs: list[str]
    message: str
    management: str
    evidence: list[str] = []


class NotChecked(Noun):
    """What was not checked and why; `evidence` lists ids of the record elements that it is about."""

    what: str
    why: str
    evidence: list[str] = []


class Coverage(Noun):
    """What was and what was not checked: absence of an alert is never evidence of safety."""

    checked: list[str] = []
    not_checked: list[NotChecked] = []
    codes_mapped: int = 0
    codes_unmapped: list[str] = []
    knowledge: dict[str, str] = {}


class Privilege(Noun):
    """Whether a model (by digest) may do a task. `measured` is null on a provisional grant by a named person."""

    model: str
    task: str
    granted: bool
    measured: dict[str, Any] | None = None
    date: str
    signature: str | None = None
    granted_by: str | None = None


class Measurement(Noun):
    task: str
    model: str | None
    method: str | None
    metric: str
    value: float
    interval: Interval | None
    n: int
    unparsed: int = 0
    baseline: dict[str, float] = {}
    split: str
    prompt_hash: str | None = None
    data_hash: str | None = None
    versions: dict[str, str] = {}
    seconds: float


class Feedback(Noun):
    trace_id: str
    statement: str
    verdict: Literal["right", "wrong", "edited"]
    text: str | None = None
    reason: str | None = None
    reviewer_role: str | None = None
    time: str
    consent: bool = False


class Choice(Noun):
    """An option of a quiz item: whether it is right, why or why not, and the evidence that says so."""

    text: str
    correct: bool
    why: str
    evidence: list[str] = []


class QuizItem(Noun):
    """A question for a learner. `level`: Bloom's taxonomy as revised by Anderson and Krathwohl (2001); `accepted`:
    other wordings of a short answer; `flaws`: item-writing flaws that were found and could not be mended."""

    id: str
    kind: Literal["single-best", "true-false", "key-feature", "short-answer"]
    stem: str
    options: list[Choice]
    accepted: list[str] = []
    topic: str
    level: Literal["remember", "understand", "apply", "analyse"]
    difficulty: Literal["easy", "medium", "hard"]
    language: Literal["en", "zh"]
    evidence: list[str]
    flaws: list[str] = []


class Principal(Noun):
    """Who acts: the person or program on whose behalf something is done."""

    id: str
    name: str | None = None
    roles: list[str] = []


class ModelCall(Noun):
    """One call of a language model, enough to make it again. `prompt` is the text after the chat template."""

    model: ModelReference
    prompt: str
    parameters: dict[str, Any] = {}
    output: str
    output_tokens: list[int] | None = None
    replayable: bool = True


class SearchCall(Noun):
    """One search of a library: what was asked, and which passages (id, hash) came back in order."""

    library: str
    version: str
    query: str
    k: int
    filters: dict[str, Any] = {}
    passages: list[tuple[str, str]] = []


class GraphCall(Noun):
    """One question put to the graph and a hash of what it answered."""

    operation: str
    arguments: dict[str, Any] = {}
    result_hash: str


class Trace(Noun):
    """All that stands behind an answer. With the input beside it in the ledger it can be replayed."""

    id: str
    kind: str
    started: str
    seconds: float
    method: str
    parameters: dict[str, Any] = {}
    knowledge: dict[str, str] = {}
    calls: list[ModelCall] = []
    searches: list[SearchCall] = []
    graph: list[GraphCall] = []
    evidence: dict[str, str] = {}
    versions: dict[str, str] = {}


def dump(value: Any) -> Any:
    """JSON-ready form of nouns, named tuples and containers of them."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {key: dump(item) for key, item in value._asdict().items()}
    if isinstance(value, dict):
        return {key: dump(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [dump(item) for item in value]
    return value
