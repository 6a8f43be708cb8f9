"""What no one API owns: metrics, tokens, refusals, keys, TLS, stopping."""

import json
import socket
import ssl
import subprocess
import threading
import time

import requests
from prometheus_client.parser import text_string_to_metric_families
from server import BASE, CHAT, Server
from shapes import SHAPES, UNKNOWN, send_head


def metrics(server):
    requests.post(server.url + "/v1/completions", json={"model": BASE, "prompt": "x", "max_tokens": 3})
    families = {f.name: f for f in text_string_to_metric_families(requests.get(server.url + "/metrics").text)}
    for name in ("facet_generation_tokens", "facet_time_to_first_token_seconds", "vllm:num_requests_waiting",
                 "vllm:kv_cache_usage_perc", "vllm:time_to_first_token_seconds", "vllm:generation_tokens",
                 "vllm:request_success", "process_resident_memory_bytes"):
        assert name in families, f"{name} is not in {sorted(families)}"
    total = [s.value for s in families["facet_generation_tokens"].samples if s.labels.get("model_name") == BASE]
    assert total and total[0] >= 3


def tokens(server):
    post = lambda path, body: requests.post(server.url + path, json={"model": BASE, **body}).json()
    plain = post("/tokenize", {"prompt": "Hello <end_of_turn>", "add_special_tokens": False})
    assert plain["count"] == len(plain["tokens"]) and 106 in plain["tokens"]
    full = post("/tokenize", {"prompt": "Hello <end_of_turn>"})
    assert full["tokens"] == [2] + plain["tokens"]
    assert post("/detokenize", {"tokens": plain["tokens"]})["prompt"] == "Hello <end_of_turn>"
    info = requests.get(server.url + "/tokenizer_info", params={"model": BASE}).json()
    assert (info["bos_token"], info["eos_token"]) == ("<bos>", "<eos>")


def refusals_in_every_shape(server):
    """A wrong path, wrong method, broken JSON, wrong type and broken UTF-8, asked of each API."""
    bodies = [b"{", b"[]", b'"x"', b"null", b'{"messages": 3, "prompt": {}, "contents": 3, "inputs": 3}',
              b'{"model": 3}', b'{"model": "\xff\xfe"}', b"\x00\x01", b"{" * 1000]
    for path, is_shape in SHAPES.items():
        for body in bodies:
            answer = requests.post(server.url + path, data=body)
            assert 400 <= answer.status_code < 500, (path, body, answer.status_code)
            assert is_shape(answer.json()), (path, body, answer.text)
        wrong = requests.delete(server.url + path)
        assert wrong.status_code == 405 and is_shape(wrong.json()), (path, wrong.text)
    for path, is_shape in UNKNOWN.items():
        answer = requests.get(server.url + path)
        assert answer.status_code == 404 and is_shape(answer.json())


def large_bodies_and_headers(server):
    for path, is_shape in SHAPES.items():
        big = requests.post(server.url + path, data=b" " * (40 << 20))
        assert big.status_code == 413 and is_shape(big.json()) and "larger than" in big.text
        for again in (False, True):
            status, body = send_head(server, path, b"X-Big: " + b"a" * (1 << 20), again)
            assert status == 431 and is_shape(body) and "max_header_bytes" in str(body), (path, status, body)
        status, body = send_head(server, path, b"no colon here", False)
        assert status == 400 and is_shape(body), (path, status, body)
    server.expect_alive()


def client_that_goes_away(server):
    def running():
        families = text_string_to_metric_families(requests.get(server.url + "/metrics").text)
        return sum(s.value for f in families if f.name in ("facet_requests_running", "facet_requests_waiting")
                   for s in f.samples)
    body = json.dumps({"model": CHAT, "stream": False, "max_tokens": 4000, "seed": 1,
                       "messages": [{"role": "user", "content": "Count to a thousand, in words."}],
                       "logit_bias": {"2": -100}})
    for stream in ("false", "true"):
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            text = body.replace('"stream": false', '"stream": ' + stream)
            client.sendall((f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
                            f"Content-Length: {len(text)}\r\n\r\n{text}").encode())
            for _ in range(50):
                time.sleep(0.1)
                if running() > 0:
                    break
            assert running() > 0
        for _ in range(50):
            time.sleep(0.1)
            if running() == 0:
                break
        assert running() == 0, "the answer goes on after its client has gone"


def pages_of_others(server):
    own = requests.get(server.url + "/api/version", headers={"Origin": server.url})
    assert own.status_code == 200 and own.headers["access-control-allow-origin"] == server.url
    other = requests.get(server.url + "/api/version", headers={"Origin": "https://evil.example"})
    assert other.status_code == 403
    rebound = requests.get(server.url + "/api/version", headers={"Host": "evil.example"})
    assert rebound.status_code == 403


def page(server):
    answer = requests.get(server.url + "/", headers={"Accept": "text/html,*/*"})
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy


def keys_and_origins(server):
    with Server(server.program, "--api-key", "a-long-secret", "--origin", "https://app.example",
                home=server.own_home) as own:
        for path in ("/v1/models", "/api/tags", "/v1beta/models", "/v2/models", "/metrics", "/", "/nothing",
                     "/openapi.json"):
            answer = requests.get(own.url + path)
            assert answer.status_code == 401, (path, answer.status_code)
        for headers in ({"Authorization": "Bearer a-long-secret"}, {"x-api-key": "a-long-secret"},
                        {"x-goog-api-key": "a-long-secret"}):
            assert requests.get(own.url + "/v1/models", headers=headers).status_code == 200
        assert requests.get(own.url + "/", auth=("", "a-long-secret")).status_code == 200
        assert requests.get(own.url + "/v1/models?key=a-long-secret").status_code == 200
        for wrong in ("", "a-long-secre", "a-long-secret2", "A-LONG-SECRET"):
            assert requests.get(own.url + "/v1/models", headers={"x-api-key": wrong}).status_code == 401
        assert requests.get(own.url + "/health").status_code == 200
        allowed = requests.options(own.url + "/v1/models", headers={
            "Origin": "https://app.example", "Access-Control-Request-Method": "POST"})
        assert allowed.status_code == 204
        assert allowed.headers["access-control-allow-origin"] == "https://app.example"


def tls(server):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
                    "/CN=localhost", "-keyout", server.folder + "/key.pem", "-out", server.folder + "/cert.pem"],
                   check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([server.program, "--listen", f"127.0.0.1:{port}", "--tls-cert",
                                server.folder + "/cert.pem", "--tls-key", server.folder + "/key.pem"],
                               stderr=subprocess.DEVNULL)
    try:
        for _ in range(50):
            time.sleep(0.1)
            try:
                answer = requests.get(f"https://127.0.0.1:{port}/health", verify=False, timeout=2)
                break
            except requests.ConnectionError:
                continue
        assert answer.status_code == 200
        assert ssl.get_server_certificate(("127.0.0.1", port)).startswith("-----BEGIN")
    finally:
        process.kill()
        process.wait()


def stopping(server):
    """The first signal lets running answers finish; the second ends at once."""
    ask = {"model": CHAT, "prompt": "Once upon a time", "max_tokens": 60, "seed": 5, "logit_bias": {"2": -100}}
    with Server(server.program, "--model", CHAT, home=server.own_home) as own:
        got = {}
        thread = threading.Thread(
            target=lambda: got.update(answer=requests.post(own.url + "/v1/completions", json=ask)))
        thread.start()
        time.sleep(0.7)
        code = own.stop()
        thread.join()
        assert code == 0, own.read_log()
        assert got["answer"].json()["usage"]["completion_tokens"] == 60
    with Server(server.program, "--model", CHAT, home=server.own_home) as own:
        thread = threading.Thread(target=lambda: _ignore(lambda: requests.post(
            own.url + "/v1/completions", json={**ask, "max_tokens": 4000})))
        thread.start()
        time.sleep(0.7)
        own.process.terminate()
        time.sleep(0.5)
        start = time.monotonic()
        own.stop()
        assert time.monotonic() - start < 3
        thread.join()


def _ignore(action):
    try:
        action()
    except requests.RequestException:
        pass


def settings(server):
    path = server.folder + "/serve.yaml"
    with open(path, "w", encoding="utf-8") as file:
        file.write("host: [127.0.0.1:1, '[::1]:2']\nmax_queue: 3\nread_only: true\n")
    good = subprocess.run([server.program, "--config", path, "--check"], capture_output=True, text=True)
    assert good.returncode == 0 and "[::1]:2" in good.stdout
    for arguments, words in ((["--listen", "0.0.0.0:1"], "no key"), (["--listen", "x:y"], "no place to listen"),
                             (["--tls-cert", "x"], "needs both"), (["--keep-alive", "soon"], "length of time")):
        bad = subprocess.run([server.program, *arguments, "--check"], capture_output=True, text=True)
        assert bad.returncode == 1 and words in bad.stderr, bad.stderr
