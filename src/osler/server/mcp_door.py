"""The MCP door: Osler's rooms as tools of the Model Context Protocol, over stdio or HTTP. All of them only read.

A consult and an answer go to the ledger as through every other door.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, Literal, ParamSpec

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import ToolAnnotations
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from osler import __version__
from osler.clinic.desk import Desk
from osler.errors import MissingComponent, OslerError
from osler.nouns import dump
from osler.reasoning.registry import Question
from osler.server.access import signed_in

READS = ToolAnnotations(readOnlyHint=True, destructiveHint=False, idempotentHint=True, openWorldHint=False)
ABOUT = (
    "Evidence-first medical tools on this machine. Every statement carries its evidence; what was not checked is said. "
    "All output is for professional review."
)

P = ParamSpec("P")
GUARDED = TransportSecuritySettings(enable_dns_rebinding_protection=False)  # the guard has looked at Host and Origin


@asynccontextmanager
async def sessions(desk: Desk) -> AsyncIterator[StreamableHTTPSessionManager]:
    """The tools over HTTP, as long as the server lives."""
    server = create_mcp(desk)
    server.streamable_http_app(stateless_http=True, json_response=True, transport_security=GUARDED)
    async with server.session_manager.run():
        yield server.session_manager


class ToolsDoor:
    """Hands a request of one who is signed in to the tools."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        signed_in(Request(scope))
        await scope["app"].state.tools.handle_request(scope, receive, send)


tools_door = ToolsDoor()


def switched_on(desk: Desk, name: str) -> None:
    """Raises MissingComponent for a capability that is switched off (`server.off`)."""
    if name in desk.settings.server.off:
        raise MissingComponent(f"{name} is switched off on this server")


def shown(desk: Desk, name: str, document: dict[str, Any], id: str) -> dict[str, Any]:
    """The document, or in silent mode only where it is kept."""
    if name in desk.settings.server.silent:
        return {"trace_id": id, "note": f"silent mode: the answer is kept as {id} and not shown"}
    return document


def create_mcp(desk: Desk) -> MCPServer[Any]:
    """The server of one desk's tools."""
    server: MCPServer[Any] = MCPServer("osler", version=__version__, instructions=ABOUT, log_level="WARNING")

    def tool(made: Callable[P, dict[str, Any]]) -> Callable[P, dict[str, Any]]:
        """A tool whose errors keep their words on the way to the client."""

        @wraps(made)
        def told(*given: P.args, **named: P.kwargs) -> dict[str, Any]:
            try:
                return made(*given, **named)
            except OslerError as error:
                raise ToolError(str(error)) from error

        server.tool(annotations=READS)(told)
        return told

    @tool
    def consult(text: str, kind: Literal["note", "fhir", "phenopacket", "dialogue"] | None = None) -> dict[str, Any]:
        """A ranked, cited second opinion on a case: a note, dialogue, FHIR bundle or phenopacket (JSON as text)."""
        switched_on(desk, "consult")
        made = desk.consult(text.encode(), "text", kind)
        return shown(desk, "consult", dump(made.consult), made.trace.id)

    @tool
    def ask(question: str, method: str | None = None) -> dict[str, Any]:
        """Answer a medical question from the library, every statement cited and verified."""
        switched_on(desk, "ask")
        made, evidence, trace = desk.ask(Question(text=question, method=method))
        return shown(desk, "ask", {**dump(made), "evidence": dump(evidence)}, trace.id)

    @tool
    def search(query: str, k: int = 8) -> dict[str, Any]:
        """Passages of the library, best first."""
        return {"results": dump(desk.resources.library.search(query, k=max(1, min(k, 50))))}

    @tool
    def concepts(text: str) -> dict[str, Any]:
        """Phenotypes, diseases and drugs of a text with their codes and context (negated, family, past)."""
        return {"findings": dump(desk.resources.recogniser.find(text))}

    @tool
    def diagnose(
        observed: list[str], excluded: list[str] | None = None, sex: Literal["male", "female"] | None = None,
        age: str | None = None, top: int = 10,
    ) -> dict[str, Any]:  # fmt: skip
        """Diseases for HPO ids, ranked and explained. `age`: ISO 8601, such as P54Y."""
        from osler.knowledge.diagnosis import explain, rank

        absent = excluded or []
        ranked = rank(observed, absent, sex, age, top=max(1, min(top, 100)))
        return {"ranked": dump(explain(ranked, observed, absent, sex=sex, age=age))}

    @tool
    def graph_path(a: str, b: str, limit: int = 3) -> dict[str, Any]:
        """The shortest specific paths of the knowledge graph between two terms (names or ids), each step sourced."""
        graph = desk.resources.graph
        start, end = (graph.find(term) or next(iter(graph.resolve(term, limit=1)), None) for term in (a, b))
        if start is None or end is None:
            return {"paths": [], "note": f"nothing in the graph is called {(a if start is None else b)!r}"}
        found: dict[str, Any] = dump({"from": start, "to": end, "paths": graph.path(start.id, end.id, limit=limit)})
        return found

    @tool
    def interactions(text: str) -> dict[str, Any]:
        """What is known of interactions between the drugs a text names, and what there is no data on."""
        from osler.knowledge.drugs import interaction_sentences

        return {"evidence": dump(interaction_sentences(text, desk.settings))}

    @tool
    def calculators(name: str | None = None) -> dict[str, Any]:
        """The published medical calculators, or one with its inputs, units and citation."""
        from osler.reasoning.calculators import calculators as all_of_them
        from osler.reasoning.calculators import described, find

        if name is not None:
            return {"calculator": described(find(name), inputs=True)}
        return {"calculators": [described(one) for one in all_of_them().values()]}

    @tool
    def calculate(name: str, values: dict[str, str | float | bool]) -> dict[str, Any]:
        """Compute a calculator from its inputs; a value may carry its unit ("88 umol/L")."""
        from osler.reasoning.calculators import calculate as computed

        found: dict[str, Any] = dump(computed(name, {key: str(value) for key, value in values.items()}))
        return found

    @tool
    def deidentify(text: str) -> dict[str, Any]:
        """The text with its identifiers replaced, and where they stood."""
        from osler.privacy.deid import Deidentifier

        found = Deidentifier().mask(text)
        return {"text": found.text, "spans": dump(found.spans)}

    return server
