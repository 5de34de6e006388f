"""A language model behind an OpenAI-compatible URL on this machine, with prepared answers."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.notify.webhook_receiver import Answer, ReceivedRequest

USAGE = {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200}


def says(text: str | None, usage: Any = USAGE) -> Answer:
    """Answer as the API reference shows."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    document = {"id": "c-1", "object": "chat.completion", "choices": [choice], "usage": usage}
    return body(json.dumps(document).encode())


def body(content: bytes, status: int = 200) -> Answer:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return respond


def document_of(request: ReceivedRequest) -> Any:
    """Return the document in what a model was sent."""
    return json.loads(request.json["messages"][1]["content"])
