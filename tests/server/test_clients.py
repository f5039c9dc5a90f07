"""The official clients of other people's protocols against the real server, over a socket."""

import asyncio
import threading
import time

import openai
import pytest
import uvicorn
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.mcpserver.exceptions import ToolError

from osler.clinic.desk import Desk
from osler.server.app import create_app
from osler.server.mcp_door import create_mcp
from osler.settings import load_settings


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    app = create_app(load_settings({"home": str(tmp_path_factory.mktemp("clients"))}), "t")
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def client(address):
    return openai.OpenAI(base_url=f"{address}/v1", api_key="t", max_retries=0)


QUESTION = [{"role": "system", "content": "Be a pirate."}, {"role": "user", "content": "What causes scurvy?"}]


def test_openai_chat(client):
    made = client.chat.completions.create(model="osler", messages=QUESTION)
    message = made.choices[0].message
    assert "vitamin C" in message.content and message.content.endswith("For professional review.")
    cited = message.annotations[0]
    where = cited.url_citation
    assert cited.type == "url_citation" and where.title
    assert message.content[where.start_index : where.end_index].startswith(made.osler["statements"][0]["text"])
    assert made.osler["trace_id"] in made.id and made.choices[0].finish_reason == "stop"


def test_openai_stream_says_the_same(client):
    whole = client.chat.completions.create(model="osler/extractive", messages=QUESTION)
    options = {"include_usage": True}
    chunks = list(
        client.chat.completions.create(model="osler/extractive", messages=QUESTION, stream=True, stream_options=options)
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage is not None
    assert chunks[-2].osler["statements"] == whole.osler["statements"]


def test_openai_images_are_not_pretended_to_be_seen(client):
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    content = [{"type": "text", "text": "What causes scurvy?"}, picture]
    made = client.chat.completions.create(model="osler", messages=[{"role": "user", "content": content}])
    assert made.choices[0].message.content.startswith("No vision model is configured")


def test_openai_models_embeddings_and_errors(client):
    names = [model.id for model in client.models.list()]
    assert "osler" in names and client.models.retrieve("osler/extractive").id == "osler/extractive"
    made = client.embeddings.create(model="e5-small", input=["fever", "cough"])
    assert len(made.data) == 2 and len(made.data[0].embedding) == 384
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-9")
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="gpt-9", messages=QUESTION)
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="osler", messages=[{"role": "system", "content": "x"}])
    with pytest.raises(openai.BadRequestError):
        client.embeddings.create(model="e5-small", input=[])
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=client.base_url, api_key="wrong", max_retries=0).models.list()


async def tried(session):
    await session.initialize()
    tools = {tool.name: tool for tool in (await session.list_tools()).tools}
    assert all(tool.annotations.read_only_hint for tool in tools.values())

    async def call(name, **given):
        return (await session.call_tool(name, given)).structured_content

    assert (await call("concepts", text="No fever."))["findings"][0]["status"] == "absent"
    assert (await call("interactions", text="warfarin and aspirin"))["evidence"]
    assert (await call("diagnose", observed=["HP:0001083", "HP:0002616"]))["ranked"][0]["for"]
    assert (await call("graph_path", a="ectopia lentis", b="Marfan syndrome"))["paths"]
    assert (await call("calculators"))["calculators"]
    assert (await call("consult", text="A tall man of 30 with lens dislocation."))["trace_id"]
    assert (await session.call_tool("diagnose", {"observed": ["HP:9999999"]})) is not None
    return set(tools)


def test_mcp_over_http(address):
    import httpx2

    async def walk():
        http = httpx2.AsyncClient(headers={"Authorization": "Bearer t"}, timeout=120)
        async with (
            streamable_http_client(f"{address}/mcp", http_client=http) as streams,
            ClientSession(*streams[:2]) as session,
        ):
            return await tried(session)

    assert {"consult", "ask", "search", "calculate", "deidentify"} <= asyncio.run(walk())
    assert httpx2.post(f"{address}/mcp", json={}).status_code == 401


def test_mcp_over_stdio(tmp_path):
    async def walk():
        import sys

        given = StdioServerParameters(
            command=sys.executable,
            args=["-m", "osler", "mcp", "--home", str(tmp_path)],
            env={"OSLER_MODELS_THREADS": "1"},
        )
        async with stdio_client(given) as streams, ClientSession(*streams) as session:
            return await tried(session)

    assert "graph_path" in asyncio.run(walk())


async def call(desk, tool, **given):
    server = create_mcp(desk)
    return (await server.call_tool(tool, given)).structured_content


def test_switches_reach_the_tools(tmp_path):
    off = Desk(load_settings({"home": str(tmp_path), "server.off": ["consult"], "server.silent": ["ask"]}))
    with pytest.raises(ToolError, match="consult is switched off on this server"):
        asyncio.run(call(off, "consult", text="Fever."))
    with pytest.raises(ToolError, match="no calculator"):
        asyncio.run(call(off, "calculators", name="nonsense"))
    made = asyncio.run(call(off, "ask", question="What causes scurvy?"))
    assert set(made) == {"trace_id", "note"} and "silent" in made["note"]
    assert off.ledger.entry(made["trace_id"]).kind == "ask"
