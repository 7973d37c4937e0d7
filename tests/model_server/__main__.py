"""Runs the server: `python -m tests.model_server`, which prints its port.

`/v1/responses`, `/v1/chat/completions` and `/v1/completions` are OpenAI's formats, `/v1/messages`
is Anthropic's. A model whose name holds `grader` judges, any other one is a target. `POST /control`
sets, for one of the two roles, a script of behaviours for the next calls, a default for those after
them, other defaults for `models` by their names, `replies` of models to prompts that hold a text,
and a latency in seconds; `GET /stats` counts.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.model_server.replies import (
    BEHAVIOURS,
    Reply,
    Script,
    grader_reply,
    scripted_reply,
    target_reply,
    user_reply,
)


@dataclass
class Role:
    """How one of the two models behaves, and what it was asked."""

    script: list[str] = field(default_factory=list)
    default: str = "ok"
    latency: float = 0.0
    calls: int = 0
    prompt_characters: int = 0
    behaviours: Counter[str] = field(default_factory=Counter)
    prompts: list[str] = field(default_factory=list)
    keep_prompts: bool = False
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keep_bodies: bool = False
    first: float = 0.0
    last: float = 0.0
    at_once: int = 0
    most_at_once: int = 0
    models: dict[str, str] = field(default_factory=dict)
    replies: dict[str, Script] = field(default_factory=dict)

    def next_behaviour(self, model: str) -> str:
        """The behaviour for this call; a model may have one of its own."""
        usual = self.models.get(model, self.default)
        behaviour = self.script.pop(0) if self.script else usual
        self.behaviours[behaviour] += 1
        return behaviour


ROLES = web.AppKey("roles", dict)


async def control(request: web.Request) -> web.Response:
    """Sets a role; `reset` forgets what it was asked."""
    body = await request.json()
    roles = request.app[ROLES]
    name = body.pop("role")
    if body.pop("reset", False):
        roles[name] = Role()
    for key, value in body.items():
        wanted = value if isinstance(value, list) else [value]
        if key in ("script", "default") and not set(wanted) <= set(BEHAVIOURS):
            return web.json_response({"error": f"unknown behaviour in {wanted}"}, status=400)
        setattr(roles[name], key, value)
    return web.json_response({})


async def stats(request: web.Request) -> web.Response:
    """What each role was asked."""
    shown = {
        name: {
            "calls": role.calls,
            "prompt_characters": role.prompt_characters,
            "behaviours": dict(role.behaviours),
            "prompts": role.prompts,
            "bodies": role.bodies,
            "window": role.last - role.first,
            "most_at_once": role.most_at_once,
        }
        for name, role in request.app[ROLES].items()
    }
    return web.json_response(shown)


async def openai_chat(request: web.Request) -> web.StreamResponse:
    """OpenAI's chat completions."""
    body = await request.json()
    contents = [_text(message.get("content")) for message in body["messages"]]
    tools = [tool["function"]["name"] for tool in body.get("tools", [])]
    reply = await _answer(request, body["model"], contents, tools)
    if isinstance(reply, web.StreamResponse):
        return reply
    message: dict[str, Any] = {"role": "assistant", "content": reply.text}
    if reply.call:
        function = {"name": reply.call.name, "arguments": reply.call.arguments}
        message["tool_calls"] = [{"id": "call_x", "type": "function", "function": function}]
    return web.json_response(
        {
            "id": "chat-1",
            "object": "chat.completion",
            "created": 1,
            "model": body["model"],
            "choices": [
                {
                    "index": 0,
                    "message": message,
                    "finish_reason": "tool_calls" if reply.call else "stop",
                }
            ],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        }
    )


async def openai_completions(request: web.Request) -> web.StreamResponse:
    """OpenAI's completions: a text goes on."""
    body = await request.json()
    prompts = [body["prompt"]] if isinstance(body["prompt"], str) else body["prompt"]
    choices = []
    for place, prompt in enumerate(prompts):
        reply = await _answer(request, body["model"], [str(prompt)], [])
        if isinstance(reply, web.StreamResponse):
            return reply
        choices.append({"index": place, "text": reply.text, "finish_reason": "stop"})
    return web.json_response({"id": "cmpl-1", "object": "text_completion", "choices": choices})


async def openai_responses(request: web.Request) -> web.StreamResponse:
    """OpenAI's responses."""
    body = await request.json()
    contents = [
        _text(entry.get("content") or entry.get("output") or "")
        for entry in _entries(body["input"])
        if entry.get("type") != "function_call"
    ]
    tools = [tool["name"] for tool in body.get("tools", [])]
    reply = await _answer(request, body["model"], contents, tools)
    if isinstance(reply, web.StreamResponse):
        return reply
    content = [{"type": "output_text", "text": reply.text, "annotations": []}]
    output: dict[str, Any] = {"type": "message", "role": "assistant", "content": content}
    if reply.call:
        output = {
            "type": "function_call",
            "call_id": "call_x",
            "name": reply.call.name,
            "arguments": reply.call.arguments,
        }
    return web.json_response(
        {
            "id": "resp_1",
            "object": "response",
            "created_at": 1,
            "model": body["model"],
            "status": "completed",
            "error": None,
            "incomplete_details": None,
            "output": [{"id": "out_1", "status": "completed", **output}],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": {
                "input_tokens": 10,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": 5,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": 15,
            },
        }
    )


async def anthropic_messages(request: web.Request) -> web.StreamResponse:
    """Anthropic's messages, streamed where the client asks for that."""
    body = await request.json()
    contents = [_text(body.get("system")), *(_text(m["content"]) for m in body["messages"])]
    tools = [tool["name"] for tool in body.get("tools", [])]
    reply = await _answer(request, body["model"], contents, tools)
    if isinstance(reply, web.StreamResponse):
        return reply
    block: dict[str, Any] = {"type": "text", "text": reply.text}
    if reply.call:
        try:
            arguments = json.loads(reply.call.arguments)
        except ValueError:
            arguments = {}
        block = {"type": "tool_use", "id": "tu_1", "name": reply.call.name, "input": arguments}
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [block],
        "stop_reason": "tool_use" if reply.call else reply.stop_reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 5},
    }
    if not body.get("stream"):
        return web.json_response(message)
    return await _stream(request, message, block)


async def _stream(
    request: web.Request, message: dict[str, Any], block: dict[str, Any]
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    if block["type"] == "text":
        start = {"type": "text", "text": ""}
        delta = {"type": "text_delta", "text": block["text"]}
    else:
        start = {**block, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    events = [
        {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": start},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": message["stop_reason"], "stop_sequence": None},
            "usage": {"output_tokens": 5},
        },
        {"type": "message_stop"},
    ]
    for event in events:
        await response.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
    await response.write_eof()
    return response


async def _answer(
    request: web.Request, model: str, contents: list[str], tools: list[str]
) -> Reply | web.StreamResponse:
    name = next((role for role in ("grader", "user") if role in model), "target")
    role = request.app[ROLES][name]
    now = asyncio.get_running_loop().time
    role.first = role.first or now()
    role.calls += 1
    if role.keep_bodies:
        role.bodies.append(await request.json())
    role.prompt_characters += sum(map(len, contents))
    if role.keep_prompts:
        role.prompts.append("\n".join(contents))
    behaviour = role.next_behaviour(model)
    if role.latency:
        role.at_once += 1
        role.most_at_once = max(role.most_at_once, role.at_once)
        await asyncio.sleep(role.latency)
        role.at_once -= 1
    role.last = now()
    if behaviour == "400":
        return _refused("temperature", "Unsupported value: 'temperature' does not support 0.0.")
    if behaviour == "no_schema" and (schema := _schema_of(await request.json())):
        return _refused(schema, f"Invalid parameter: '{schema}' is not supported by this model.")
    if behaviour == "429":
        return web.json_response(
            {"error": {"message": "slow down", "type": "rate_limit_error"}},
            status=429,
            headers={"retry-after": "0"},
        )
    if behaviour == "500":
        error = {"message": "broken", "type": "api_error"}
        return web.json_response({"type": "error", "error": error}, status=500)
    if behaviour == "hang":
        await asyncio.sleep(3600)
    if behaviour == "malformed":
        return web.Response(text='{"id": "chat-1", "choices": [', content_type="application/json")
    if behaviour == "cut":
        return await _cut(request)
    if behaviour == "ok" and model in role.replies:
        step = _steps_taken(await request.json())
        return scripted_reply(role.replies[model], contents, step)
    if "grader" in model:
        # the question is the second message, also when the judge is asked once more
        return grader_reply(behaviour, contents[1] if len(contents) > 1 else contents[0])
    if name == "user" and behaviour == "ok":
        return user_reply(contents)
    return target_reply(behaviour, tools, contents)


def _schema_of(body: dict[str, Any]) -> str | None:
    """The parameter by which a request demands a form of answer."""
    if "format" in body.get("text", {}):
        return "text.format"
    return next((name for name in ("response_format", "output_format") if name in body), None)


def _steps_taken(body: dict[str, Any]) -> int:
    """How often the model has spoken or acted in a conversation."""
    return sum(
        entry.get("role") == "assistant" or entry.get("type") == "function_call"
        for entry in body.get("messages") or _entries(body.get("input", []))
    )


def _refused(parameter: str, message: str) -> web.Response:
    """A request with which something is wrong, in OpenAI's words."""
    error = {"message": message, "type": "invalid_request_error", "param": parameter, "code": None}
    return web.json_response({"error": error}, status=400)


async def _cut(request: web.Request) -> web.StreamResponse:
    """Promises more than it sends, and hangs up."""
    response = web.StreamResponse(
        headers={"content-type": "application/json", "content-length": "5000"}
    )
    await response.prepare(request)
    await response.write(b'{"id": "chat-1", "object": "chat.completion", "choices": [{"ind')
    assert request.transport is not None
    request.transport.abort()
    return response


def _entries(given: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The input of OpenAI's responses: a plain text stands for one user message."""
    return [{"role": "user", "content": given}] if isinstance(given, str) else given


def _text(content: Any) -> str:
    """All text of a message, in either format."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(_text(part.get("text") or part.get("content")) for part in content)
    return ""


async def serve() -> None:
    """Serves on a free port of this machine until stopped."""
    app = web.Application(client_max_size=2**26)
    app[ROLES] = {"target": Role(), "grader": Role(), "user": Role()}
    app.add_routes(
        [
            web.post("/control", control),
            web.get("/stats", stats),
            web.post("/v1/chat/completions", openai_chat),
            web.post("/v1/completions", openai_completions),
            web.post("/v1/responses", openai_responses),
            web.post("/v1/messages", anthropic_messages),
        ]
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    print(site._server.sockets[0].getsockname()[1], flush=True)  # type: ignore[attr-defined]
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
