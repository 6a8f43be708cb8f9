"""Asks a server two thousand good and bad things, and looks at what is left.

Usage: soak.py SERVER [--requests 2000]

Cancellations, disconnects in the middle of streams, slow readers, broken JSON, wrong types, broken UTF-8, headers
of 1 MB, bodies of 100 MB, 500 connections at once, models that are not there, prompts that do not fit. At the end the
resident memory must be within 5 % of what it was after warming up, no place may be taken, no file left open, and
every refusal must have had a status below 500. Then the server is killed in the middle of pull and create, and the
library must be whole.
"""

import argparse
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

MESSAGES = [{"role": "user", "content": "Say something about the sea."}]


class Soak:
    def __init__(self, server):
        self.server = server
        self.statuses = {}
        self.lock = threading.Lock()

    def note(self, name, status):
        with self.lock:
            self.statuses[name, status] = self.statuses.get((name, status), 0) + 1

    def post(self, name, path, body, **rest):
        data = body if isinstance(body, bytes) else json.dumps(body)
        answer = requests.post(self.server.url + path, data=data, timeout=300, **rest)
        self.note(name, answer.status_code)
        if answer.status_code >= 400:
            answer.json()
        return answer

    def good(self):
        path, body = random.choice([
            ("/v1/chat/completions", {"model": CHAT, "messages": MESSAGES, "max_tokens": 8}),
            ("/v1/completions", {"model": BASE, "prompt": "The sea", "max_tokens": 8}),
            ("/api/chat", {"model": CHAT, "messages": MESSAGES, "options": {"num_predict": 8}}),
            ("/v1/messages", {"model": CHAT, "messages": MESSAGES, "max_tokens": 8}),
            (f"/v1beta/models/{CHAT}:generateContent",
             {"contents": [{"parts": [{"text": "Hi"}]}], "generationConfig": {"maxOutputTokens": 8}}),
        ])
        assert self.post("good", path, body).status_code in (200, 503)

    def leaves(self):
        """Goes away in the middle of a stream, or before it begins."""
        body = json.dumps({"model": CHAT, "messages": MESSAGES, "max_tokens": 400, "stream": random.random() < .7})
        with socket.create_connection(("127.0.0.1", self.server.port)) as client:
            client.sendall((f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
                            f"Content-Length: {len(body)}\r\n\r\n{body}").encode())
            for _ in range(random.randrange(4)):
                client.settimeout(2)
                try:
                    client.recv(256)
                except TimeoutError:
                    break
        self.note("leaves", 0)

    def slow(self):
        with requests.post(self.server.url + "/api/generate", stream=True, timeout=300, json={
                "model": BASE, "prompt": "The sea", "options": {"num_predict": 12}}) as answer:
            for _ in answer.iter_content(16):
                time.sleep(0.005)
            self.note("slow", answer.status_code)

    def bad(self):
        path = random.choice(["/v1/chat/completions", "/v1/completions", "/api/chat", "/api/generate", "/v1/messages",
                              f"/v1beta/models/{CHAT}:generateContent", f"/v2/models/{CHAT}/infer", "/tokenize",
                              "/v1/embeddings", "/api/embed", "/api/create", "/api/show", "/predict", "/nothing"])
        body = random.choice([b"{", b"[]", b"null", b'{"model": 3}', b'{"messages": "x"}', b'{"model": "\xff"}',
                              b'{"model": "' + CHAT.encode() + b'", "messages": [{"role": "x"}], "prompt": [1e99]}',
                              bytes(random.randrange(256) for _ in range(200)), b"[" * 100000,
                              b'{"model": "nobody", "prompt": "x", "messages": []}'])
        status = self.post("bad", path, body).status_code
        assert 400 <= status < 500 or status == 200, (path, body[:80], status)

    def overflows(self):
        status = self.post("overflows", "/v1/chat/completions", {
            "model": CHAT, "messages": [{"role": "user", "content": "sea " * 20000}]}).status_code
        assert status == 400

    def big_header(self):
        with socket.create_connection(("127.0.0.1", self.server.port)) as client:
            try:
                client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * (1 << 20) + b"\r\n\r\n")
                client.recv(64)
            except OSError:
                pass
        self.note("big header", 0)

    def big_body(self):
        status = self.post("big body", "/api/generate", b" " * (100 << 20)).status_code
        assert status == 413

    def crowd(self):
        """500 connections at once, each with a request."""
        clients = []
        try:
            for _ in range(500):
                client = socket.create_connection(("127.0.0.1", self.server.port), timeout=60)
                client.sendall(b"GET /api/version HTTP/1.1\r\nHost: localhost\r\n\r\n")
                clients.append(client)
            for client in clients:
                assert client.recv(64).startswith(b"HTTP/1.1 200")
        finally:
            for client in clients:
                client.close()
        self.note("crowd", 200)

    def figures(self):
        text = requests.get(self.server.url + "/metrics", timeout=10).text
        busy = sum(sample.value for family in text_string_to_metric_families(text)
                   if family.name in ("facet_requests_running", "facet_requests_waiting") for sample in family.samples)
        return busy, self.server.resident(), self.server.open_files()

    def run(self, count):
        kinds = [(self.good, 40), (self.leaves, 25), (self.slow, 5), (self.bad, 27), (self.overflows, 2),
                 (self.big_header, 1)]
        work = random.choices([kind for kind, _ in kinds], [weight for _, weight in kinds], k=count)
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            for result in [pool.submit(kind) for kind in work]:
                result.result()

    def settle(self):
        for _ in range(200):
            time.sleep(0.1)
            figures = self.figures()
            if figures[0] == 0:
                time.sleep(1)
                return self.figures()
        raise SystemExit(f"{figures[0]} places are still taken")


def survive_kills(server):
    """Killed in the middle of create and of taking a file: the library is whole afterwards."""
    names = lambda: sorted(m["name"] for m in requests.get(server.url + "/api/tags").json()["models"])
    before = names()
    for round_ in range(3):
        body = os.urandom(64 << 20)
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        def send():
            try:
                requests.post(server.url + "/api/blobs/" + digest, data=body)
            except requests.RequestException:
                pass
        def create():
            try:
                for index in range(50):
                    requests.post(server.url + "/api/create", json={"model": f"kill{round_}-{index}", "from": CHAT})
                    requests.post(server.url + "/api/pull", json={"model": CHAT})
            except requests.RequestException:
                pass
        threads = [threading.Thread(target=action) for action in (send, create)]
        for thread in threads:
            thread.start()
        time.sleep(0.15 + 0.1 * round_)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        for thread in threads:
            thread.join()
        server.start()
        assert set(before) <= set(names())
        assert requests.head(server.url + "/api/blobs/" + digest).status_code == 404
        for name in [CHAT] + [n for n in names() if n.startswith("kill")]:
            answer = requests.post(server.url + "/v1/completions", json={"model": name, "prompt": "x", "max_tokens": 1})
            assert answer.status_code == 200, answer.text
    print("killed three times in create, pull and upload: the library is whole")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("--requests", type=int, default=2000)
    options = parser.parse_args()
    random.seed(11)
    with Server(options.server, "--model", CHAT, "--model", BASE) as server:
        soak = Soak(server)
        soak.run(options.requests // 5)
        soak.crowd()
        soak.big_body()
        _, memory, files = soak.settle()
        print(f"after warming up: {memory >> 20} MB resident, {files} open files", flush=True)
        soak.statuses.clear()
        start = time.monotonic()
        soak.run(options.requests)
        soak.crowd()
        soak.big_body()
        _, later, left = soak.settle()
        server.expect_alive()
        print(f"after {options.requests} requests in {time.monotonic() - start:.0f} s: {later >> 20} MB resident "
              f"({100 * (later - memory) / memory:+.1f} %), {left} open files")
        for (name, status), count in sorted(soak.statuses.items()):
            print(f"  {name:10} {status or 'left':>4}  {count}")
        assert later <= memory * 1.05, "memory has grown"
        assert left <= files + 2, "files were left open"
        survive_kills(server)


if __name__ == "__main__":
    main()
