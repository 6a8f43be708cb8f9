"""OpenAI's Python client."""

import json
import math

import openai
from server import BASE, CHAT, refuses

HELLO = [{"role": "system", "content": "You are brief."}, {"role": "user", "content": "Say hello."}]


def _client(server):
    return openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0, timeout=60)


def models(server):
    client = _client(server)
    ids = [model.id for model in client.models.list()]
    assert CHAT in ids and BASE in ids, ids
    assert client.models.retrieve(CHAT).id == CHAT
    refuses(openai.NotFoundError, lambda: client.models.retrieve("nobody"), "model 'nobody' not found")


def chat(server):
    answer = _client(server).chat.completions.create(
        model=CHAT, messages=HELLO, max_tokens=12, temperature=0)
    again = _client(server).chat.completions.create(
        model=CHAT, messages=HELLO, max_completion_tokens=12, temperature=0)
    choice = answer.choices[0]
    assert choice.message.role == "assistant" and choice.message.content
    assert choice.message.content == again.choices[0].message.content
    assert choice.finish_reason in ("stop", "length")
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.object == "chat.completion" and answer.model == CHAT


def chat_stream(server):
    client = _client(server)
    whole = client.chat.completions.create(model=CHAT, messages=HELLO, max_tokens=24, temperature=0)
    chunks = list(client.chat.completions.create(
        model=CHAT, messages=HELLO, max_tokens=24, temperature=0, stream=True,
        stream_options={"include_usage": True}))
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == whole.choices[0].message.content
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == whole.choices[0].finish_reason
    assert not chunks[-1].choices and chunks[-1].usage.completion_tokens == whole.usage.completion_tokens


def chat_choices_and_seed(server):
    client = _client(server)
    def ask(seed):
        answer = client.chat.completions.create(
            model=CHAT, messages=HELLO, max_tokens=16, n=3, seed=seed, temperature=1.2)
        return [choice.message.content for choice in answer.choices]
    first = ask(7)
    assert len(first) == 3 and len(set(first)) > 1
    assert ask(7) == first and ask(8) != first


def chat_log_probabilities(server):
    answer = _client(server).chat.completions.create(
        model=CHAT, messages=HELLO, max_tokens=6, temperature=0, logprobs=True, top_logprobs=3)
    content = answer.choices[0].logprobs.content
    assert content
    for entry in content:
        assert entry.logprob <= 0 and len(entry.top_logprobs) == 3
        assert entry.logprob == max(other.logprob for other in entry.top_logprobs)
    text = b"".join(bytes(entry.bytes) for entry in content).decode()
    assert text == answer.choices[0].message.content


def chat_stop_and_bias(server):
    client = _client(server)
    answer = client.chat.completions.create(model=CHAT, messages=HELLO, max_tokens=40, temperature=0)
    text = answer.choices[0].message.content
    word = text.split()[1]
    cut = client.chat.completions.create(
        model=CHAT, messages=HELLO, max_tokens=40, temperature=0, stop=[word])
    assert cut.choices[0].message.content == text[:text.index(word)]
    assert cut.choices[0].finish_reason == "stop"
    first = client.chat.completions.create(
        model=CHAT, messages=HELLO, max_tokens=1, temperature=0, logprobs=True)
    import requests
    token = requests.post(server.url + "/tokenize", json={
        "model": CHAT, "content": first.choices[0].message.content}).json()["tokens"][0]
    other = client.chat.completions.create(
        model=CHAT, messages=HELLO, max_tokens=1, temperature=0, logit_bias={str(token): -100})
    assert other.choices[0].message.content != first.choices[0].message.content


def chat_json_schema(server):
    schema = {
        "type": "object", "additionalProperties": False, "required": ["city", "country", "people"],
        "properties": {"city": {"type": "string", "maxLength": 20}, "country": {"type": "string", "maxLength": 20},
                       "people": {"type": "integer", "minimum": 0, "maximum": 99999999}}}
    answer = _client(server).chat.completions.create(
        model=CHAT, messages=[{"role": "user", "content": "Describe Paris."}], max_tokens=120,
        response_format={"type": "json_schema", "json_schema": {"name": "place", "schema": schema, "strict": True}})
    value = json.loads(answer.choices[0].message.content)
    assert set(value) == {"city", "country", "people"} and isinstance(value["people"], int)
    loose = _client(server).chat.completions.create(
        model=CHAT, messages=[{"role": "user", "content": "yes or no?"}], max_tokens=8,
        extra_body={"guided_choice": ["yes", "no"]})
    assert loose.choices[0].message.content in ("yes", "no")


def completions(server):
    client = _client(server)
    answer = client.completions.create(
        model=BASE, prompt="The capital of France is", max_tokens=4, temperature=0, logprobs=2)
    choice = answer.choices[0]
    assert answer.object == "text_completion" and choice.text
    assert "".join(choice.logprobs.tokens) == choice.text
    assert len(choice.logprobs.token_logprobs) == 4 and choice.logprobs.text_offset[0] == 24
    streamed = client.completions.create(
        model=BASE, prompt="The capital of France is", max_tokens=4, temperature=0, stream=True)
    assert "".join(chunk.choices[0].text for chunk in streamed) == choice.text
    several = client.completions.create(
        model=BASE, prompt=["One, two,", "Red, green,"], max_tokens=3, temperature=0, n=2)
    assert [c.index for c in several.choices] == [0, 1, 2, 3]
    assert several.choices[0].text == several.choices[1].text != several.choices[2].text


def completions_echo(server):
    client = _client(server)
    text = "The capital of France is Paris."
    answer = client.completions.create(
        model=BASE, prompt=text, max_tokens=1, temperature=0, logprobs=1, echo=True)
    choice = answer.choices[0]
    assert choice.text.startswith(text)
    lists = choice.logprobs
    assert len(lists.tokens) == len(lists.token_logprobs) == len(lists.top_logprobs)
    assert all(p <= 0 for p in lists.token_logprobs)
    # Tokens without the beginning of sequence give the same, since the server puts it there.
    import requests
    tokens = requests.post(server.url + "/tokenize", json={
        "model": BASE, "prompt": text, "add_special_tokens": False}).json()["tokens"]
    same = client.completions.create(
        model=BASE, prompt=[tokens], max_tokens=1, temperature=0, logprobs=1, echo=True).choices[0].logprobs
    assert len(same.token_logprobs) == len(tokens) + 1
    for a, b in zip(lists.token_logprobs, same.token_logprobs):
        assert math.isclose(a, b, abs_tol=1e-3), (a, b)
    only = client.completions.create(
        model=BASE, prompt=text, max_tokens=0, logprobs=1, echo=True).choices[0]
    assert only.text == text and len(only.logprobs.tokens) == len(tokens)


def embeddings(server):
    client = _client(server)
    packed = client.embeddings.create(model=BASE, input=["a cat", "a kitten", "the stock market"])
    plain = client.embeddings.create(
        model=BASE, input=["a cat", "a kitten", "the stock market"], encoding_format="float")
    for a, b in zip(packed.data, plain.data):
        assert max(abs(x - y) for x, y in zip(a.embedding, b.embedding)) < 1e-5
    dot = lambda i, j: sum(x * y for x, y in zip(plain.data[i].embedding, plain.data[j].embedding))
    assert abs(dot(0, 0) - 1) < 1e-3 and dot(0, 1) > dot(0, 2)
    short = client.embeddings.create(model=BASE, input="a cat", dimensions=64)
    assert len(short.data[0].embedding) == 64 and packed.usage.prompt_tokens > 0


def errors(server):
    client = _client(server)
    ask = lambda **rest: client.chat.completions.create(**{"model": CHAT, "messages": HELLO, **rest})
    refuses(openai.NotFoundError, lambda: ask(model="nobody"), "model 'nobody' not found")
    refuses(openai.BadRequestError, lambda: ask(temperature=-1), "temperature")
    refuses(openai.BadRequestError, lambda: ask(n=1000), "'n' is 1000")
    refuses(openai.BadRequestError, lambda: ask(top_logprobs=21, logprobs=True), "top_logprobs")
    refuses(openai.BadRequestError, lambda: ask(messages=[{"role": "wizard", "content": "x"}]), "wizard")
    refuses(openai.BadRequestError, lambda: ask(response_format={"type": "xml"}), "response_format.type")
    refuses(openai.BadRequestError, lambda: ask(model=BASE), "base model")
    full = refuses(openai.BadRequestError, lambda: ask(messages=[{"role": "user", "content": "word " * 20000}]))
    assert full.body["type"] == "exceed_context_size_error", full.body
    error = refuses(openai.BadRequestError, lambda: client.completions.create(model=BASE, prompt=[10 ** 6]))
    assert error.body["type"] == "invalid_request_error"


WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "The weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 30}}, "required": ["city"]}}}


def tools(server):
    """A call that must come is well formed, whole and streamed; its result is taken in."""
    client = _client(server)
    ask = {"model": CHAT, "messages": [{"role": "user", "content": "What is the weather in Paris?"}],
           "tools": [WEATHER], "tool_choice": "required", "temperature": 0, "max_tokens": 120,
           "parallel_tool_calls": False}
    answer = client.chat.completions.create(**ask)
    choice = answer.choices[0]
    assert choice.finish_reason == "tool_calls", choice
    call = choice.message.tool_calls[0]
    assert call.function.name == "get_weather" and isinstance(json.loads(call.function.arguments)["city"], str)
    name, arguments, ends = "", "", []
    for chunk in client.chat.completions.create(**ask, stream=True):
        for part in chunk.choices[0].delta.tool_calls or []:
            name += part.function.name or ""
            arguments += part.function.arguments or ""
        ends.append(chunk.choices[0].finish_reason)
    assert name == "get_weather" and arguments == call.function.arguments and ends[-1] == "tool_calls"
    after = client.chat.completions.create(
        model=CHAT, tools=[WEATHER], tool_choice="none", max_tokens=12, temperature=0,
        messages=[*ask["messages"], choice.message.model_dump(exclude_none=True),
                  {"role": "tool", "tool_call_id": call.id, "content": "sunny, 25 degrees"}])
    assert after.choices[0].message.content
    free = client.chat.completions.create(**{**ask, "tool_choice": "auto"})
    assert free.choices[0].finish_reason in ("stop", "length", "tool_calls")
    braced = client.chat.completions.create(**ask, stop=["{"])
    assert braced.choices[0].message.tool_calls[0].function.arguments == call.function.arguments
    refuses(openai.BadRequestError, lambda: client.chat.completions.create(
        **{**ask, "tools": [{"type": "function", "function": {"name": "two words"}}]}), "two words")
