"""Conversations with tools as Mistral's own package writes them for its v3 tokenizer.

    python3 tools/tool_goldens.py Tests/Goldens/tools/mistral.json

Oracle: mistral-common 1.13.1 (with sentencepiece), whose data hold the tokenizer. Of each conversation: its messages and
tools in OpenAI's form, and the text of the tokens with control tokens by name, ▁ for spaces and <0x0A> for newlines."""
import json, os, sys
import mistral_common
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

WEATHER = dict(type='function', function=dict(
    name='get_weather', description='The weather of a city, "now".',
    parameters=dict(type='object', properties=dict(city=dict(type='string', description='Its name'), days=dict(type='integer')), required=['city'])))
TIME = dict(type='function', function=dict(
    name='get_time', description='The time.', parameters=dict(type='object', properties=dict(zone=dict(type='string')))))


def call(id, name, arguments):
    return dict(id=id, type='function', function=dict(name=name, arguments=json.dumps(arguments, ensure_ascii=False)))


def user(text): return dict(role='user', content=text)
def assistant(text): return dict(role='assistant', content=text)
def calls(*list): return dict(role='assistant', content='', tool_calls=[*list])
def tool(id, name, content): return dict(role='tool', tool_call_id=id, name=name, content=content)


CASES = [
    ([user('How is Paris?')], [WEATHER]),
    ([dict(role='system', content='Be brief.'), user('Hi'), assistant('Hello.'), user('How is Zürich?\nAnd when?')], [WEATHER, TIME]),
    ([user('How is Paris?'), calls(call('abcDEF123', 'get_weather', dict(city='Paris', days=2))),
      tool('abcDEF123', 'get_weather', '{"sky": "grey", "t": [1, 2.5]}')], [WEATHER]),
    ([user('Both.'), calls(call('aaaaaaaa1', 'get_weather', dict(city='Zürich')), call('aaaaaaaa2', 'get_time', {})),
      tool('aaaaaaaa1', 'get_weather', 'sunny "all" day'), tool('aaaaaaaa2', 'get_time', '12'),
      assistant('Sunny, noon.'), user('Thanks')], [WEATHER, TIME]),
    ([user('Hi'), assistant('Hello.'), user('Bye')], []),
]


def main(out):
    data = os.path.join(os.path.dirname(mistral_common.__file__), 'data', 'mistral_instruct_tokenizer_240323.model.v3')
    tokenizer = MistralTokenizer.from_file(data)
    result = []
    for messages, tools in CASES:
        request = ChatCompletionRequest.from_openai(messages=messages, tools=tools or None)
        result.append(dict(messages=messages, tools=tools, text=tokenizer.encode_chat_completion(request).text))
    os.makedirs(os.path.dirname(out), exist_ok=True)
    with open(out, 'w') as file:
        file.write(json.dumps(result, ensure_ascii=False, indent=1) + '\n')


main(*sys.argv[1:])
