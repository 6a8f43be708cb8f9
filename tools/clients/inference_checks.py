"""Triton's HTTP client (KServe v2), and requests as Vertex AI and KServe v1 send them."""

import numpy
import requests
import tritonclient.http as triton
from server import BASE, CHAT, Server, refuses


def _client(server):
    return triton.InferenceServerClient(url=f"127.0.0.1:{server.port}")


def health_and_metadata(server):
    client = _client(server)
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(BASE)
    assert client.get_server_metadata()["name"] == "facet"
    metadata = client.get_model_metadata(BASE)
    assert metadata["inputs"][0] == {"name": "text_input", "datatype": "BYTES", "shape": [-1]}
    assert client.get_model_config(BASE)["name"] == BASE
    assert {"name": BASE, "version": "1"}.items() <= client.get_model_repository_index()[0].items()
    counted = lambda: client.get_inference_statistics(BASE)["model_stats"][0]["inference_stats"]["success"]
    before = counted()
    _infer(server, ["x"], False)
    assert counted()["count"] == before["count"] + 1 and counted()["ns"] > before["ns"]


def _infer(server, texts, binary):
    text = triton.InferInput("text_input", [len(texts)], "BYTES")
    text.set_data_from_numpy(numpy.array(texts, dtype=object), binary_data=binary)
    most = triton.InferInput("max_tokens", [1], "INT32")
    most.set_data_from_numpy(numpy.array([5], dtype=numpy.int32), binary_data=binary)
    cold = triton.InferInput("temperature", [1], "FP32")
    cold.set_data_from_numpy(numpy.array([0], dtype=numpy.float32), binary_data=binary)
    result = _client(server).infer(
        BASE, [text, most, cold], request_id="7",
        outputs=[triton.InferRequestedOutput("text_output", binary_data=binary)])
    assert result.get_response()["id"] == "7"
    return [value.decode() if isinstance(value, bytes) else value for value in result.as_numpy("text_output")]


def infer(server):
    texts = ["The capital of France is", "Zwölf Boxkämpfer"]
    raw = _infer(server, texts, True)
    assert raw == _infer(server, texts, False) and len(raw) == 2 and raw[0] != raw[1]


def generate(server):
    ask = {"text_input": "The capital of France is", "parameters": {"max_tokens": 4, "temperature": 0}}
    whole = requests.post(f"{server.url}/v2/models/{BASE}/generate", json=ask).json()
    parts = requests.post(f"{server.url}/v2/models/{BASE}/generate_stream", json=ask).text
    import json
    text = "".join(json.loads(line[6:])["text_output"] for line in parts.splitlines() if line.startswith("data: "))
    assert text == whole["text_output"] != ""


def repository(server):
    client = _client(server)
    client.load_model(BASE)
    client.unload_model(BASE)


def errors(server):
    client = _client(server)
    refuses(triton.InferenceServerException, lambda: client.get_model_metadata("nobody"), "model 'nobody' not found")
    wrong = triton.InferInput("other", [1], "INT32")
    wrong.set_data_from_numpy(numpy.array([1], dtype=numpy.int32))
    refuses(triton.InferenceServerException, lambda: client.infer(BASE, [wrong]), "text_input")


def predict_as_kserve_v1(server):
    answer = requests.post(f"{server.url}/v1/models/{BASE}:predict", json={
        "instances": ["One, two,", {"prompt": "Red, green,"}], "parameters": {"max_tokens": 3, "temperature": 0}})
    assert len(answer.json()["predictions"]) == 2 and all(answer.json()["predictions"])
    wrong = requests.post(f"{server.url}/v1/models/nobody:predict", json={"instances": ["x"]})
    assert wrong.status_code == 404 and wrong.json() == {"error": "model 'nobody' not found"}


def predict_as_vertex(server):
    answer = requests.post(server.url + "/predict", json={
        "instances": [
            "Say hello.", {"prompt": "Say hello.", "max_tokens": 2},
            {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 2},
            {"@requestFormat": "chatCompletions", "messages": [{"role": "user", "content": "Hi"}], "stream": True,
             "max_tokens": 2},
            {"messages": [{"role": "wizard", "content": "x"}]},
        ], "parameters": {"max_tokens": 4, "temperature": 0}})
    texts = answer.json()["predictions"]
    assert isinstance(texts[0], str) and isinstance(texts[1], str) and texts[0].startswith(texts[1])
    assert texts[2]["choices"][0]["message"]["content"] and texts[3]["object"] == "chat.completion"
    assert "wizard" in texts[4]["error"]["message"]


def contract_of_vertex_ai(server):
    """The environment that Vertex AI gives a container says the port and both routes; no key is asked for."""
    routes = {"AIP_HTTP_PORT": "{port}", "AIP_HEALTH_ROUTE": "/v1/endpoints/1/deployedModels/2",
              "AIP_PREDICT_ROUTE": "/v1/endpoints/1/deployedModels/2:predict"}
    with Server(server.program, "--model", CHAT, environment=routes, home=server.own_home,
                health=routes["AIP_HEALTH_ROUTE"]) as own:
        # The second one's beginning is read from the cache, so rounding differs: the best token has to lead clearly.
        prompt = "Count from one to five."
        answer = requests.post(own.url + routes["AIP_PREDICT_ROUTE"], json={
            "instances": [prompt, {"prompt": prompt}], "parameters": {"max_tokens": 3, "temperature": 0}})
        first, second = answer.json()["predictions"]
        assert first == second != ""
        assert requests.get(own.url + "/health").status_code == 200
    with Server(server.program, "--model", CHAT, home=server.own_home, environment={
            **routes, "AIP_HEALTH_ROUTE": "/health", "AIP_PREDICT_ROUTE": "/v1/chat/completions"}) as own:
        raw = requests.post(own.url + "/v1/chat/completions", json={
            "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 2}).json()
        assert raw["choices"][0]["message"]["content"]
