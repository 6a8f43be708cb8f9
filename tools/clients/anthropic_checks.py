"""Anthropic's Python client."""

import anthropic
from server import CHAT, refuses

# This client has no name for it any more; the API has.
COLD = {"temperature": 0}
HELLO = [{"role": "user", "content": "Say hello."}]


def _client(server):
    return anthropic.Anthropic(base_url=server.url, api_key="none", max_retries=0, timeout=60)


def messages(server):
    answer = _client(server).messages.create(
        model=CHAT, max_tokens=16, messages=HELLO, system="You are brief.", extra_body=COLD)
    assert answer.role == "assistant" and answer.content[0].type == "text" and answer.content[0].text
    assert answer.stop_reason in ("end_turn", "max_tokens") and answer.usage.output_tokens > 0


def stream(server):
    client = _client(server)
    whole = client.messages.create(model=CHAT, max_tokens=24, messages=HELLO, extra_body=COLD)
    with client.messages.stream(model=CHAT, max_tokens=24, messages=HELLO, extra_body=COLD) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == whole.content[0].text == final.content[0].text
    assert final.stop_reason == whole.stop_reason and final.usage.output_tokens == whole.usage.output_tokens


def stop_sequence(server):
    client = _client(server)
    text = client.messages.create(model=CHAT, max_tokens=24, messages=HELLO, extra_body=COLD).content[0].text
    word = text.split()[1]
    cut = client.messages.create(
        model=CHAT, max_tokens=24, messages=HELLO, extra_body=COLD, stop_sequences=[word])
    assert cut.stop_reason == "stop_sequence" and cut.stop_sequence == word


def count_tokens(server):
    client = _client(server)
    count = client.messages.count_tokens(model=CHAT, messages=HELLO).input_tokens
    used = client.messages.create(model=CHAT, max_tokens=1, messages=HELLO).usage
    assert count == used.input_tokens + used.cache_read_input_tokens


def models(server):
    assert CHAT in [model.id for model in _client(server).models.list()]


def errors(server):
    client = _client(server)
    ask = lambda **rest: client.messages.create(**{"model": CHAT, "max_tokens": 4, "messages": HELLO, **rest})
    error = refuses(anthropic.NotFoundError, lambda: ask(model="nobody"), "model 'nobody' not found")
    assert error.body["error"]["type"] == "not_found_error"
    refuses(anthropic.BadRequestError, lambda: ask(max_tokens=0), "max_tokens")
    refuses(anthropic.BadRequestError, lambda: ask(extra_body={"temperature": -1}), "temperature")


def tools(server):
    client = _client(server)
    weather = {"name": "get_weather", "description": "The weather in a city.", "input_schema": {
        "type": "object", "properties": {"city": {"type": "string", "maxLength": 30}}, "required": ["city"]}}
    ask = {"model": CHAT, "max_tokens": 120, "tools": [weather], "extra_body": COLD,
           "messages": [{"role": "user", "content": "What is the weather in Paris?"}],
           "tool_choice": {"type": "tool", "name": "get_weather", "disable_parallel_tool_use": True}}
    answer = client.messages.create(**ask)
    assert answer.stop_reason == "tool_use", answer
    use = [block for block in answer.content if block.type == "tool_use"][0]
    assert use.name == "get_weather" and isinstance(use.input["city"], str)
    with client.messages.stream(**ask, stop_sequences=["\n", "}"]) as stream:
        final = stream.get_final_message()
    again = [block for block in final.content if block.type == "tool_use"][0]
    assert again.input == use.input and final.stop_reason == "tool_use"
    after = client.messages.create(model=CHAT, max_tokens=12, tools=[weather], extra_body=COLD, messages=[
        *ask["messages"], {"role": "assistant", "content": [block.model_dump() for block in answer.content]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": "sunny"}]}])
    assert after.content
