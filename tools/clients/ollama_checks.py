"""Ollama's Python client."""

import hashlib
import json
import os

import ollama
import requests
from server import BASE, CHAT, refuses

HELLO = [{"role": "user", "content": "Say hello."}]


def _client(server):
    return ollama.Client(host=server.url, timeout=60)


def listing(server):
    client = _client(server)
    names = [model.model for model in client.list().models]
    assert CHAT in names and BASE in names
    shown = client.show(BASE)
    assert shown.modelinfo["gemma3.context_length"] == 32768
    assert "completion" in shown.capabilities and shown.details.family == "gemma3"
    refuses(ollama.ResponseError, lambda: client.show("nobody"), "model 'nobody' not found")
    for path in ("/", "/api/version", "/api/tags"):
        assert requests.head(server.url + path).status_code == 200
    assert requests.get(server.url + "/").text == "Ollama is running"


def chat(server):
    client = _client(server)
    options = {"num_predict": 24, "temperature": 0}
    whole = client.chat(model=CHAT, messages=HELLO, options=options)
    assert whole.done and whole.done_reason in ("stop", "length") and whole.message.content
    assert whole.eval_count > 0 and whole.total_duration >= whole.eval_duration > 0
    parts = list(client.chat(model=CHAT, messages=HELLO, options=options, stream=True))
    assert "".join(part.message.content for part in parts) == whole.message.content
    assert parts[-1].done and not parts[0].done
    refuses(ollama.ResponseError, lambda: client.chat(model=BASE, messages=HELLO), "does not support chat")


def chat_format_and_probabilities(server):
    client = _client(server)
    schema = {"type": "object", "properties": {"age": {"type": "integer", "maximum": 200}}, "required": ["age"]}
    answer = client.chat(model=CHAT, messages=HELLO, format=schema, options={"num_predict": 60})
    assert isinstance(json.loads(answer.message.content)["age"], int)
    plain = requests.post(server.url + "/api/chat", json={
        "model": CHAT, "messages": HELLO, "stream": False, "logprobs": True, "top_logprobs": 2,
        "options": {"num_predict": 3, "temperature": 0}}).json()
    assert len(plain["logprobs"]) == 3 and len(plain["logprobs"][0]["top_logprobs"]) == 2


def generate(server):
    client = _client(server)
    options = {"num_predict": 5, "temperature": 0}
    whole = client.generate(model=BASE, prompt="The capital of France is", options=options)
    parts = list(client.generate(
        model=BASE, prompt="The capital of France is", options=options, stream=True))
    assert "".join(part.response for part in parts) == whole.response
    assert parts[-1].context == whole.context and whole.context[0] == 2
    more = client.generate(model=BASE, prompt=" and", context=whole.context, options=options)
    assert more.prompt_eval_count > len(whole.context)
    raw = client.generate(model=CHAT, prompt="One, two, three,", raw=True, options=options)
    assert raw.response


def load_and_unload(server):
    client = _client(server)
    loaded = client.generate(model=BASE, prompt="", keep_alive="5m")
    assert loaded.done_reason == "load"
    assert BASE in [model.model for model in client.ps().models]
    gone = client.generate(model=BASE, prompt="", keep_alive=0)
    assert gone.done_reason == "unload"
    assert BASE not in [model.model for model in client.ps().models]


def embed(server):
    client = _client(server)
    both = client.embed(model=BASE, input=["a cat", "a dog"])
    assert len(both.embeddings) == 2 and len(both.embeddings[0]) == 640
    assert len(client.embed(model=BASE, input="a cat", dimensions=32).embeddings[0]) == 32
    legacy = client.embeddings(model=BASE, prompt="a cat")
    # Alone and beside others the sums are taken in another order; both have length 1.
    assert sum(a * b for a, b in zip(legacy.embedding, both.embeddings[0])) > 0.999
    refuses(ollama.ResponseError, lambda: client.embed(model=BASE, input="x " * 50000, truncate=False))


def create_copy_delete(server):
    client = _client(server)
    statuses = [step.status for step in client.create(
        model="pirate", from_=CHAT, system="You are a pirate.", parameters={"temperature": 0, "num_predict": 12},
        stream=True)]
    assert statuses[-1] == "success"
    shown = client.show("pirate")
    assert "You are a pirate." in shown.modelfile and "temperature 0" in shown.parameters
    piratical = client.chat(model="pirate", messages=HELLO)
    plain = client.chat(model=CHAT, messages=HELLO, options={"temperature": 0, "num_predict": 12})
    assert piratical.message.content != plain.message.content and piratical.eval_count <= 12
    client.copy("pirate", "corsair")
    assert "corsair:latest" in [model.model for model in client.list().models]
    client.delete("pirate")
    client.delete("corsair")
    refuses(ollama.ResponseError, lambda: client.delete("pirate"), "model 'pirate' not found")
    refuses(ollama.ResponseError, lambda: client.copy("nobody", "x"), 'model "nobody" not found')


def create_from_file(server):
    client = _client(server)
    path = next(os.path.join(folder, file) for folder, _, files in os.walk(server.own_home + "/blobs")
                for file in files if os.path.getsize(os.path.join(folder, file)) == 98362432)
    # A file that is not here yet: the same model with one byte more at its end.
    copy = os.path.join(server.folder, "tiny.gguf")
    with open(path, "rb") as source, open(copy, "wb") as target:
        target.write(source.read() + b"\0")
    digest = client.create_blob(copy)
    assert requests.head(server.url + "/api/blobs/" + digest).status_code == 200
    made = client.create(model="tiny", files={"tiny.gguf": digest}, stream=False)
    assert made.status == "success"
    assert client.chat(model="tiny", messages=HELLO, options={"num_predict": 3}).message.content
    client.delete("tiny")


def blobs(server):
    wrong = "sha256:" + "0" * 64
    assert requests.head(server.url + "/api/blobs/" + wrong).status_code == 404
    sent = requests.post(server.url + "/api/blobs/" + wrong, data=b"something else")
    assert sent.status_code == 400 and "digest" in sent.json()["error"], sent.text
    for name in ("../../etc/passwd", "sha256:..%2f..%2fx", "sha256:abc", "md5:" + "0" * 32):
        assert requests.post(server.url + "/api/blobs/" + name, data=b"x").status_code in (400, 404)
    body = b"no model"
    digest = "sha256:" + hashlib.sha256(body).hexdigest()
    assert requests.post(server.url + "/api/blobs/" + digest, data=body).status_code == 201
    refuses(ollama.ResponseError,
            lambda: _client(server).create(model="broken", files={"x.gguf": digest}, stream=False))
    assert "broken:latest" not in [model.model for model in _client(server).list().models]
    refuses(ollama.ResponseError,
            lambda: _client(server).create(model="broken", files={"../x.gguf": digest}, stream=False))


def pull(server):
    steps = list(_client(server).pull(CHAT, stream=True))
    assert steps[0].status == "pulling manifest" and steps[-1].status == "success"
    assert _client(server).pull(CHAT).status == "success"
    refuses(ollama.ResponseError, lambda: _client(server).pull("nobody-has-this"), "file does not exist")


def errors(server):
    client = _client(server)
    ask = lambda **rest: client.generate(**{"model": BASE, "prompt": "x", **rest})
    refuses(ollama.ResponseError, lambda: ask(model="nobody"), "model 'nobody' not found")
    refuses(ollama.ResponseError, lambda: ask(options={"temperature": "hot"}),
            'option "temperature" must be of type float32')
    refuses(ollama.ResponseError, lambda: ask(raw=True, system="x"), "raw mode does not support")
    refuses(ollama.ResponseError, lambda: ask(think=True), "does not support thinking")
    refuses(ollama.ResponseError, lambda: ask(suffix="x"), "does not support insert")
    refuses(ollama.ResponseError, lambda: ask(top_logprobs=21), "top_logprobs must be between 0 and 20")
    refuses(ollama.ResponseError, lambda: client.chat(
        model=CHAT, messages=[{"role": "user", "content": "x", "images": [b"x"]}]), "vision")
    empty = requests.post(server.url + "/api/generate")
    assert empty.status_code == 400 and empty.json() == {"error": "missing request body"}


def tools(server):
    def get_weather(city: str) -> str:
        """The weather in a city.

        Args:
          city: the city's name
        """
        return "sunny"
    client = _client(server)
    ask = [{"role": "user", "content": "What is the weather in Paris? Use the tool get_weather."}]
    answer = client.chat(model=CHAT, messages=ask, tools=[get_weather], options={"temperature": 0, "num_predict": 80})
    for call in answer.message.tool_calls or []:
        assert call.function.name == "get_weather" and isinstance(call.function.arguments["city"], str)
    history = [*ask, {"role": "assistant", "content": "", "tool_calls": [
        {"function": {"name": "get_weather", "arguments": {"city": "Paris"}}}]},
        {"role": "tool", "tool_name": "get_weather", "content": "sunny"}]
    assert client.chat(model=CHAT, messages=history, options={"temperature": 0, "num_predict": 12}).message.content
    assert "tools" in client.show(CHAT).capabilities
    refuses(ollama.ResponseError, lambda: client.chat(model=BASE, messages=ask, tools=[get_weather]), "does not support")
