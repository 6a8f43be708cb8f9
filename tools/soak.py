"""Asks a server two thousand good and bad things, and looks at what is left.

Usage: soak.py SERVER [--requests 2000]

Answers of every API, streamed and whole; clients that leave while they wait, in the middle of an answer or in the middle
of their own request; slow readers, and some that do not read at all; broken JSON, wrong types, broken
UTF-8; models that are not there; prompts that do not fit; heads of 1 MB; bodies of 100 MB; files that never arrive
whole; 500 connections at once. Every refusal must have its status and the shape of its API. At the end the resident
memory must be within 5 % of what it was after warming up, no place may be taken, no connection or file left open, and
the library must hold the files that it held. Then the server is killed in the middle of pulls, uploads and creates, and
the library must be whole each time.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import random
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "clients"))

import requests
from prometheus_client.parser import text_string_to_metric_families
from server import BASE, CHAT, Server
from shapes import SHAPES, UNKNOWN, is_anthropic, is_gemini, is_openai, is_text, send_head
from slow_hub import SlowHub

MESSAGES = [{"role": "user", "content": "Say something about the sea."}]
GEMINI = f"/v1beta/models/{CHAT}"

BAD_BODIES = [
    b"{", b"[]", b"null", b'"x"', b"", b"\x00\x01", b'{"model": 3}', b'{"model": "\xff\xfe"}', b"[" * 100_000,
    b'{"a":' * 50_000, b'{"model": "' + CHAT.encode() + b'", "messages": "x", "prompt": {}, "input": 3, '
    b'"contents": 3, "inputs": {}, "instances": 3, "text_input": 4, "files": 5, "max_tokens": 4}',
    b'{"model": "' + CHAT.encode() + b'", "max_tokens": "many", "messages": [{"role": "x"}], "prompt": [1e99], '
    b'"input": [[-1]], "contents": [{"parts": [{"text": 3}]}], "inputs": [{"name": 1}], "instances": [3], '
    b'"from": 3, "stream": 1}',
]

# For each API a request that is right, with what its model is and what is said to it left open.
ANSWERS = [
    ("/v1/chat/completions", lambda model, text, most: {
        "model": model, "messages": [{"role": "user", "content": text}], "max_tokens": most}),
    ("/v1/completions", lambda model, text, most: {"model": model, "prompt": text, "max_tokens": most}),
    ("/api/chat", lambda model, text, most: {
        "model": model, "messages": [{"role": "user", "content": text}], "options": {"num_predict": most}}),
    ("/api/generate", lambda model, text, most: {"model": model, "prompt": text, "options": {"num_predict": most}}),
    ("/v1/messages", lambda model, text, most: {
        "model": model, "messages": [{"role": "user", "content": text}], "max_tokens": most}),
    ("/v1beta/models/{}:generateContent", lambda model, text, most: {
        "contents": [{"parts": [{"text": text}]}], "generationConfig": {"maxOutputTokens": most}}),
    ("/v1beta/models/{}:streamGenerateContent", lambda model, text, most: {
        "contents": [{"parts": [{"text": text}]}], "generationConfig": {"maxOutputTokens": most}}),
    ("/v2/models/{}/infer", lambda model, text, most: {
        "inputs": [{"name": "text_input", "datatype": "BYTES", "shape": [1], "data": [text]}],
        "parameters": {"max_tokens": most}}),
    ("/v2/models/{}/generate_stream", lambda model, text, most: {"text_input": text, "max_tokens": most}),
    ("/v1/models/{}:predict", lambda model, text, most: {
        "instances": [text], "parameters": {"max_tokens": most}}),
]


def shape_of(path):
    """What tells the refusals of the API that `path` belongs to."""
    if path.startswith(("/api/", "/v2/")) or path.endswith(":predict"):
        return is_text
    if path.startswith("/v1/messages"):
        return is_anthropic
    return is_gemini if path.startswith("/v1beta/") else is_openai


class Soak:
    def __init__(self, server):
        self.server = server
        self.counts = collections.Counter()
        self.sessions = threading.local()

    def note(self, name, status):
        self.counts[name, status] += 1

    def post(self, name, path, body, allowed, **rest):
        """Asks and checks: one of the statuses `allowed`, or busy and when to come again; refusals in shape."""
        data = body if isinstance(body, bytes) or hasattr(body, "__next__") else json.dumps(body)
        # Half of the clients keep their connection.
        if not hasattr(self.sessions, "it"):
            self.sessions.it = requests.Session()
        ask = self.sessions.it.post if random.random() < 0.5 else requests.post
        answer = ask(self.server.url + path, data=data, timeout=300, **rest)
        self.note(name, answer.status_code)
        where = f"{name}: {path} {body if not hasattr(body, '__next__') else ''}"[:300]
        busy = answer.status_code in (503, 529)
        assert busy or answer.status_code in allowed, f"{where} {answer.status_code} {answer.text[:300]}"
        if answer.status_code >= 400:
            assert shape_of(path)(answer.json()), f"{where} {answer.text[:300]}"
        if busy:
            assert int(answer.headers["Retry-After"]) > 0, where
        return answer

    # What clients do

    def good(self):
        path, body = random.choice(ANSWERS)
        model = CHAT if "chat" in path or "messages" in path or "v1beta" in path else random.choice([CHAT, BASE])
        text = random.choice(["The sea", "Hello there.", "One two three four five six"])
        ask = body(model, text, random.randrange(1, 10))
        if "v2" not in path and "predict" not in path and "v1beta" not in path:
            ask["stream"] = random.random() < 0.5
        self.post("good", path.format(model), ask, {200})

    def other(self):
        path, body = random.choice([
            ("/v1/embeddings", {"model": BASE, "input": ["The sea", "is blue"]}),
            ("/api/embed", {"model": CHAT, "input": "The sea"}),
            ("/tokenize", {"model": BASE, "prompt": "The sea is blue. " * 50}),
            ("/api/show", {"model": CHAT}), ("/v1/messages/count_tokens", {"model": CHAT, "messages": MESSAGES}),
            (GEMINI + ":countTokens", {"contents": [{"parts": [{"text": "The sea"}]}]}),
            ("/v1/completions", {
                "model": BASE, "prompt": "The sea is blue", "max_tokens": 1, "echo": True, "logprobs": 2}),
            ("/v1/chat/completions", {"model": CHAT, "messages": MESSAGES, "max_tokens": 20, "response_format": {
                "type": "json_schema", "json_schema": {"name": "n", "schema": {"enum": ["a", "b"]}}}}),
        ])
        self.post("other", path, body, {200})

    def leaves(self):
        """Goes away: in the middle of the request, while it waits, or in the middle of the answer."""
        path, body = random.choice(ANSWERS)
        ask = body(CHAT, "Say something about the sea.", 400)
        if path.startswith(("/v1/c", "/v1/mess", "/api")):
            ask["stream"] = random.random() < 0.7
        body = json.dumps(ask)
        head = f"POST {path.format(CHAT)} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=5) as client:
            if random.random() < 0.2:
                client.sendall((head + body)[:random.randrange(len(head + body))].encode())
            else:
                client.sendall((head + body).encode())
                for _ in range(random.randrange(4)):
                    client.settimeout(2)
                    try:
                        client.recv(256)
                    except TimeoutError:
                        break
            if random.random() < 0.3:
                # With a reset instead of a goodbye.
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.note("leaves", "")

    def slow(self):
        with requests.post(self.server.url + "/api/generate", stream=True, timeout=300, json={
                "model": BASE, "prompt": "The sea", "options": {"num_predict": 12}}) as answer:
            for _ in answer.iter_content(16):
                time.sleep(0.01)
            self.note("slow", answer.status_code)
            assert answer.status_code in (200, 503)

    def stalls(self):
        """Asks for a long answer, reads nothing of it for some seconds, and leaves."""
        body = json.dumps({"model": CHAT, "messages": MESSAGES, "max_tokens": 300, "stream": True, "logprobs": True,
                           "top_logprobs": 20, "logit_bias": {"2": -100}})
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            client.connect(("127.0.0.1", self.server.port))
            client.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}"
                           f"\r\n\r\n{body}".encode())
            time.sleep(random.uniform(1, 6))
        self.note("stalls", "")

    def bad(self):
        if random.random() < 0.1:
            path, is_shape = random.choice(list(UNKNOWN.items()))
            answer = requests.post(self.server.url + path, data=b"{}", timeout=60)
            assert answer.status_code == 404 and is_shape(answer.json()), (path, answer.status_code, answer.text)
            return self.note("bad", 404)
        path, is_shape = random.choice(list(SHAPES.items()))
        body = random.choice([*BAD_BODIES, random.randbytes(200)])
        answer = requests.post(self.server.url + path, data=body, timeout=300)
        self.note("bad", answer.status_code)
        # Some of the wrong members are none of this route's business; then the answer is one.
        assert answer.status_code == 200 or 400 <= answer.status_code < 500, (path, body[:80], answer.status_code)
        if answer.status_code != 200:
            assert is_shape(answer.json()), (path, body[:80], answer.text[:300])

    def unknown(self):
        path, body = random.choice(ANSWERS)
        self.post("unknown", path.format("nobody"), body("nobody", "x", 1), {404})

    def overflows(self):
        path, body = random.choice(ANSWERS)
        self.post("overflows", path.format(CHAT), body(CHAT, "sea " * 20_000, 1), {400})

    def big_head(self):
        path, is_shape = random.choice(list(SHAPES.items()))
        status, body = send_head(self.server, path, b"X: " + b"a" * (1 << 20))
        self.note("big head", status)
        assert status == 431 and is_shape(body), (path, status, body)

    def big_body(self):
        """100 MB, of a known length or in chunks of which nobody knows how many will come."""
        path = random.choice(["/api/generate", "/v1/chat/completions", "/v1/messages", GEMINI + ":generateContent"])
        body = b" " * (100 << 20) if random.random() < 0.5 else (b" " * (1 << 20) for _ in range(100))
        self.post("big body", path, body, {413})

    def partial_file(self):
        """Announces a file and sends another, or only a part of it."""
        path = "/api/blobs/sha256:" + "%064x" % random.getrandbits(256)
        if random.random() < 0.5:
            return self.post("other file", path, b"x" * 100_000, {400}) and None
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=5) as client:
            head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
            client.sendall(head.encode() + b"x" * 5000)
            time.sleep(random.random() / 10)
        self.note("part of a file", "")

    def library(self):
        name = f"soak-{random.getrandbits(64):x}"
        made = {"model": name, "from": CHAT, "system": "Be brief.", "stream": False}
        self.post("library", "/api/create", made, {200})
        self.post("library", "/api/show", {"model": name}, {200})
        gone = requests.delete(self.server.url + "/api/delete", json={"model": name}, timeout=60)
        assert gone.status_code == 200, gone.text
        self.post("library", "/api/show", {"model": name}, {404})

    def crowd(self):
        """500 connections at once, each with a request; one in ten wants a token."""
        body = json.dumps({"model": BASE, "prompt": "The sea", "max_tokens": 1})
        short = b"GET /api/version HTTP/1.1\r\nHost: localhost\r\n\r\n"
        long = f"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        clients = []
        try:
            for index in range(500):
                client = socket.create_connection(("127.0.0.1", self.server.port), timeout=120)
                client.sendall(long if index % 10 == 0 else short)
                clients.append(client)
            for client in clients:
                assert client.recv(12) == b"HTTP/1.1 200"
        finally:
            for client in clients:
                client.close()
        self.note("crowd", 200)

    # The whole

    def run(self, count):
        kinds = [(self.good, 36), (self.other, 10), (self.leaves, 20), (self.slow, 3), (self.stalls, 2), (self.bad, 20),
                 (self.unknown, 3), (self.overflows, 2), (self.big_head, 1), (self.partial_file, 2), (self.library, 1)]
        work = random.choices([kind for kind, _ in kinds], [weight for _, weight in kinds], k=count)
        for place in range(3):
            work.insert(random.randrange(len(work)), self.big_body)
        work.insert(len(work) // 2, self.crowd)
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            for result in [pool.submit(kind) for kind in work]:
                result.result()

    def figures(self):
        """Places taken, resident bytes, open files."""
        text = requests.get(self.server.url + "/metrics", timeout=10).text
        busy = sum(sample.value for family in text_string_to_metric_families(text)
                   if family.name in ("facet_requests_running", "facet_requests_waiting") for sample in family.samples)
        return busy, self.server.resident(), self.server.open_files()

    def settle(self):
        for _ in range(300):
            time.sleep(0.1)
            if self.figures()[0] == 0:
                time.sleep(2)
                return self.figures()
        raise SystemExit(f"{self.figures()[0]} places are still taken")


def library(server):
    """The files of the library, locks aside."""
    return {os.path.relpath(os.path.join(folder, name), server.own_home)
            for folder, _, names in os.walk(server.own_home) for name in names if "/locks" not in folder}


def names(server):
    return sorted(model["name"] for model in requests.get(server.url + "/api/tags", timeout=60).json()["models"])


def digest(data):
    return hashlib.sha256(data).hexdigest()


def expect_whole(server, before):
    """Every file is what its name says, and every model that is listed answers."""
    folder = os.path.join(server.own_home, "blobs")
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as file:
            assert name == "sha256-" + digest(file.read()), f"{name} is damaged"
    listed = names(server)
    assert set(before) <= set(listed), (before, listed)
    made = sorted(set(listed) - set(before))
    for name in before + made[:2] + made[-1:]:
        answer = requests.post(
            server.url + "/v1/completions", json={"model": name, "prompt": "x", "max_tokens": 1}, timeout=120)
        assert answer.status_code == 200, (name, answer.text)
    for name in made:
        assert requests.delete(server.url + "/api/delete", json={"model": name}, timeout=60).status_code == 200


def variant(server, number):
    """The model that converses under another name of its own, so that its file is one that the library lacks."""
    info = requests.post(server.url + "/api/show", json={"model": CHAT}, timeout=60).json()
    path = next(line[5:] for line in info["modelfile"].splitlines() if line.startswith("FROM "))
    with open(path, "rb") as file:
        data = file.read()
    mark = b"general.name"
    at = data.index(mark) + len(mark) + 12
    return data[:at] + b"%d" % number + data[at + 1:]


def killed(server, action, delay):
    """Kills the server `delay` seconds after `action` has begun, and starts it again."""
    def run():
        try:
            action()
        except (requests.RequestException, OSError):
            pass
    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(delay)
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    thread.join()
    server.start()


def survive_kills(server, hub):
    before = names(server)
    for round_ in range(3):
        data = variant(server, round_)
        blob = f"{server.url}/api/blobs/sha256:{digest(data)}"
        # In the middle of an upload.
        killed(server, lambda: requests.post(blob, data=data, timeout=60), 0.02 + 0.05 * round_)
        assert requests.head(blob, timeout=60).status_code == 404
        expect_whole(server, before)
        assert requests.post(blob, data=data, timeout=60).status_code == 201

        # In the middle of making models of the file, and of others.
        def create():
            for index in range(200):
                for source in ({"files": {"model.gguf": "sha256:" + digest(data)}}, {"from": CHAT}):
                    made = {"model": f"kill{round_}-{index}", **source}
                    requests.post(server.url + "/api/create", json=made, timeout=60)
        killed(server, create, 0.05 + 0.3 * round_)
        expect_whole(server, before)

        # In the middle of a pull, which then goes on where it stopped.
        hub.offer(data)
        name = "hf:sea/shore"
        pull = lambda: requests.post(server.url + "/api/pull", json={"model": name, "stream": False}, timeout=120)
        killed(server, pull, 1.5)
        assert name not in str(names(server))
        expect_whole(server, before)
        sent = hub.sent
        hub.is_slow = False
        answer = pull()
        assert answer.status_code == 200 and answer.json()["status"] == "success", answer.text
        assert hub.sent - sent < len(data), "the pull began anew"
        assert hub.sent > len(data) // 50, "the first pull had not begun"
        expect_whole(server, before)
    print("killed nine times in upload, create and pull: the library is whole, and pulls went on where they stopped")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("--requests", type=int, default=2000)
    options = parser.parse_args()
    random.seed(11)
    hub = SlowHub("sea/shore")
    with Server(options.server, "--model", CHAT, "--model", BASE, environment={
            "HF_ENDPOINT": hub.url, "HF_TOKEN": "", "HF_HOME": "/nonexistent"}) as server:
        soak = Soak(server)
        held = library(server)
        soak.run(options.requests // 4)
        _, memory, files = soak.settle()
        print(f"after warming up: {memory >> 20} MB resident, {files} open files", flush=True)
        soak.counts.clear()
        start = time.monotonic()
        soak.run(options.requests)
        seconds = time.monotonic() - start
        _, later, left = soak.settle()
        server.expect_alive()
        print(f"after {options.requests} requests in {seconds:.0f} s: {later >> 20} MB resident "
              f"({100 * (later - memory) / memory:+.1f} %), {left} open files")
        for (name, status), count in sorted(soak.counts.items(), key=str):
            print(f"  {name:15} {status or 'left':>4}  {count}")
        assert later <= memory * 1.05, "memory has grown"
        assert left <= files + 2, "files were left open"
        assert library(server) == held, library(server) ^ held
        survive_kills(server, hub)


if __name__ == "__main__":
    main()
