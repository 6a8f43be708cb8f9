"""Google's google-genai client."""

import json

from google import genai
from google.genai import errors as genai_errors
from google.genai import types
from server import BASE, CHAT, refuses


_clients = {}


def _client(server, version=None):
    # Kept: a client that nobody holds closes its connections under a request.
    if (server.url, version) not in _clients:
        _clients[server.url, version] = genai.Client(
            api_key="none", http_options=types.HttpOptions(base_url=server.url, api_version=version, timeout=60000))
    return _clients[server.url, version]


def generate(server):
    for version in (None, "v1beta"):
        answer = _client(server, version).models.generate_content(
            model=CHAT, contents="Say hello.",
            config=types.GenerateContentConfig(
                temperature=0, top_k=40, max_output_tokens=16, system_instruction="You are brief."))
        assert answer.text and answer.usage_metadata.candidates_token_count > 0
        assert answer.candidates[0].finish_reason in (types.FinishReason.STOP, types.FinishReason.MAX_TOKENS)


def stream(server):
    config = types.GenerateContentConfig(temperature=0, max_output_tokens=24)
    client = _client(server)
    whole = client.models.generate_content(model=CHAT, contents="Say hello.", config=config)
    parts = list(client.models.generate_content_stream(model=CHAT, contents="Say hello.", config=config))
    assert "".join(part.text or "" for part in parts) == whole.text
    assert parts[-1].usage_metadata.total_token_count == whole.usage_metadata.total_token_count


def stream_as_array(server):
    import requests
    answer = requests.post(f"{server.url}/v1beta/models/{CHAT}:streamGenerateContent", json={
        "contents": [{"parts": [{"text": "Say hello."}]}], "generation_config": {"max_output_tokens": 4}})
    assert isinstance(answer.json(), list) and "candidates" in answer.json()[0]


def conversation(server):
    chat = _client(server).chats.create(
        model=CHAT, config=types.GenerateContentConfig(temperature=0, max_output_tokens=12))
    assert chat.send_message("My name is Ada.").text
    assert chat.send_message("What is my name?").text


def schema(server):
    answer = _client(server).models.generate_content(
        model=CHAT, contents="Describe Paris.",
        config=types.GenerateContentConfig(
            max_output_tokens=100, response_mime_type="application/json",
            response_schema=types.Schema(
                type="OBJECT", required=["city", "people"],
                properties={"city": types.Schema(type="STRING", max_length=20),
                            "people": types.Schema(type="INTEGER", maximum=99999999, minimum=0)})))
    value = json.loads(answer.text)
    assert isinstance(value["city"], str) and isinstance(value["people"], int)


def log_probabilities(server):
    answer = _client(server).models.generate_content(
        model=CHAT, contents="Say hello.",
        config=types.GenerateContentConfig(
            temperature=0, max_output_tokens=4, response_logprobs=True, logprobs=2))
    result = answer.candidates[0].logprobs_result
    assert len(result.chosen_candidates) == 4 and len(result.top_candidates[0].candidates) == 2
    assert answer.candidates[0].avg_logprobs <= 0


def candidates(server):
    answer = _client(server).models.generate_content(
        model=CHAT, contents="Say hello.",
        config=types.GenerateContentConfig(candidate_count=2, max_output_tokens=4, seed=3))
    assert [candidate.index or 0 for candidate in answer.candidates] == [0, 1]


def count_and_embed(server):
    client = _client(server)
    assert client.models.count_tokens(model=CHAT, contents="Say hello.").total_tokens > 3
    found = client.models.embed_content(
        model=BASE, contents=["a cat", "a dog"], config=types.EmbedContentConfig(output_dimensionality=64))
    assert [len(embedding.values) for embedding in found.embeddings] == [64, 64]


def models(server):
    client = _client(server)
    assert "models/" + CHAT in [model.name for model in client.models.list()]
    assert client.models.get(model=CHAT).input_token_limit == 8192


def errors(server):
    client = _client(server)
    ask = lambda **rest: client.models.generate_content(**{"model": CHAT, "contents": "x", **rest})
    error = refuses(genai_errors.ClientError, lambda: ask(model="nobody"), "model 'nobody' not found")
    assert error.code == 404 and error.status == "NOT_FOUND"
    refuses(genai_errors.ClientError,
            lambda: ask(config=types.GenerateContentConfig(temperature=-1)), "INVALID_ARGUMENT")
    refuses(genai_errors.ClientError, lambda: client.models.get(model="nobody"), "NOT_FOUND")


def tools(server):
    weather = types.Tool(function_declarations=[types.FunctionDeclaration(
        name="get_weather", description="The weather in a city.", parameters=types.Schema(
            type="OBJECT", required=["city"], properties={"city": types.Schema(type="STRING", max_length=30)}))])
    config = types.GenerateContentConfig(
        temperature=0, max_output_tokens=120, tools=[weather],
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        tool_config=types.ToolConfig(function_calling_config=types.FunctionCallingConfig(mode="ANY")))
    client = _client(server)
    question = types.Content(role="user", parts=[types.Part(text="What is the weather in Paris?")])
    answer = client.models.generate_content(model=CHAT, contents=[question], config=config)
    call = answer.function_calls[0]
    assert call.name == "get_weather" and isinstance(call.args["city"], str)
    parts = [p for chunk in client.models.generate_content_stream(model=CHAT, contents=[question], config=config)
             for p in (chunk.candidates[0].content.parts or [])]
    assert [p.function_call.args for p in parts if p.function_call][0] == call.args
    after = client.models.generate_content(
        model=CHAT, config=types.GenerateContentConfig(temperature=0, max_output_tokens=8),
        contents=[question, answer.candidates[0].content, types.Content(role="user", parts=[
            types.Part.from_function_response(name="get_weather", response={"result": "sunny"})])])
    assert after.text
