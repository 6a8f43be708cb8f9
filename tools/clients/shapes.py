"""What tells the refusals of the APIs apart, and requests that are none."""

import json
import socket

from server import CHAT


def is_openai(body):
    return {"message", "type", "param", "code"} == set(body["error"]) and isinstance(body["error"]["type"], str)


def is_text(body):
    """Ollama's and KServe's."""
    return set(body) == {"error"} and isinstance(body["error"], str)


def is_gemini(body):
    return {"code", "message", "status"} == set(body["error"]) and body["error"]["status"].isupper()


def is_anthropic(body):
    return body["type"] == "error" and {"type", "message"} == set(body["error"])


# Routes of each API that take a body, and what tells their refusals.
SHAPES = {
    "/v1/chat/completions": is_openai, "/v1/completions": is_openai, "/v1/embeddings": is_openai,
    "/api/chat": is_text, "/api/generate": is_text, "/api/embed": is_text, "/api/create": is_text,
    "/v1/messages": is_anthropic, "/v1/messages/count_tokens": is_anthropic,
    f"/v1beta/models/{CHAT}:generateContent": is_gemini, f"/v1/models/{CHAT}:streamGenerateContent": is_gemini,
    f"/v2/models/{CHAT}/infer": is_text, f"/v1/models/{CHAT}:predict": is_text, "/predict": is_openai,
    "/tokenize": is_openai,
}

# The same of routes that are not there.
UNKNOWN = {"/v1/nothing": is_openai, "/nothing": is_openai, "/api/nothing": is_text, "/v1beta/nothing": is_gemini,
           "/v1/messages/nothing": is_anthropic, "/v2/nothing": is_text}


def send_head(server, path, line, again=False):
    """The refusal of a head with `line` in it, as the first or the second request of a connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        if again:
            client.sendall(b"GET /api/version HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert client.recv(4096).startswith(b"HTTP/1.1 200")
        client.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\n".encode() + line + b"\r\n\r\n")
        text = b""
        while part := client.recv(65536):
            text += part
    head, body = text.split(b"\r\n\r\n", 1)
    return int(head.split()[1]), json.loads(body)
