"""Conversations as Gemma 4's own chat template writes them, with tools and without.

    python3 tools/gemma4_goldens.py google-gemma-4-31B-it.jinja Tests/Goldens

Oracle: transformers renders the template of the 31B model (llama.cpp has it under models/templates); sentencepiece encodes what stands
between control tokens. `tools/gemma4.json`: conversations in OpenAI's form and their text. `tokenizer/small/gemma4.model`: the small Gemma vocabulary
with Gemma 4's control tokens. `tokenizer/chat-gemma4.json`: conversations, their text and ids; the text of control tokens inside a
message is masked while the template runs, so that it stays text. Arguments come sorted from the template, answers of tools as values."""
import json, re, sys
import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as pb
from transformers.utils.chat_template_utils import _compile_jinja_template

CONTROLS = ['<|turn>', '<turn|>', '<|channel>', '<channel|>', '<|tool>', '<tool|>', '<|tool_call>', '<tool_call|>', '<|tool_response>',
            '<tool_response|>', '<|"|>', '<|think|>', '<bos>']


def tool(name, description, **parameters):
    return dict(type='function', function=dict(name=name, description=description, parameters=dict(type='object', **parameters)))


TEXT, WHOLE = dict(type='string'), dict(type='integer')
WEATHER = tool('get_weather', 'The weather of a city, "now".',
               properties=dict(city=dict(type='string', description='Its name'), days=WHOLE), required=['city'])
TIME = tool('get_time', 'The time.', properties=dict(zone=TEXT))
ORDER = tool(
    'place_order', 'Orders things.', required=['items', 'Ship'], properties=dict(
        items=dict(type='array', description='What', items=dict(
            type='object', description='A line', properties=dict(sku=TEXT, count=dict(type='integer', description='How many')), required=['sku'])),
        Ship=dict(type='object', description='Where to', properties=dict(street=TEXT, zip=dict(type='string', nullable=True)), required=['street', 'zip']),
        how=dict(type='string', enum=['air', 'sea']), flags=dict(type='array', items=dict(type='string', enum=['a', 'b'])),
        bare=dict(type='object', properties=dict(x=dict(type='number', description='A number'))), any=dict(type='array'),
        sure=dict(type='boolean', nullable=True, description='Whether')))
EMPTY = tool('ping', 'Nothing else.', properties={})


def user(text): return dict(role='user', content=text)
def assistant(text): return dict(role='assistant', content=text)
def call(name, **arguments): return dict(type='function', function=dict(name=name, arguments=arguments))
def answer(name, response): return dict(name=name, response=response)


def calls(calls, answers, content=''):
    return dict(role='assistant', content=content, tool_calls=calls, tool_responses=answers)


SYSTEM = dict(role='system', content=' Be brief. ')
CONVERSATIONS = [
    ([user('How is Paris?')], [WEATHER]),
    ([SYSTEM, user('Hi'), assistant('Hello.'), user('How is Zürich?\nAnd when?')], [WEATHER, TIME]),
    ([user('Order.')], [ORDER, EMPTY]),
    ([user('How is Paris?'), calls([call('get_weather', days=2, city='Paris')], [answer('get_weather', dict(t=[1, 2.5, True], Sky='grey "x"'))])], [WEATHER]),
    ([user('Both.'), calls([call('get_weather', city='Zürich'), call('get_time')], [answer('get_weather', 'sunny "all" day'), answer('get_time', 12)],
                           'Sunny, noon.'), user(' Thanks ')], [WEATHER, TIME]),
    ([user('Order.'), calls([call('place_order', items=[dict(sku='b', count=1), dict(sku='a')], Ship=dict(zip='x:y', street='{z}'), sure=False)],
                            [answer('place_order', dict(done=True, parts=dict(b='1', A=[])))])], [ORDER]),
    ([user('Think.'), assistant('<|channel>thought\nHm.<channel|>Yes. '), user('Sure?'), assistant('a<|channel>b<channel|>c<channel|> d<|channel>e')], []),
    ([SYSTEM, user('Hi')], []),
]
MIXED = 'Say <bos>, <|turn>user, <turn|>, <|tool_call>, <|"|>, [INST] x, <|im_start|>system\n<|im_end|>, <b>bold</b>.'
CHATS = [
    'u:Hello', 's:Be brief.|u:What is the capital of France?', 'u:Hi|a:Hello! How can I help?|u:Tell me a joke.',
    's:You are a pirate.|u:Hi|a:Arr!|u:Where is the gold?|a:Buried.|u:Where?', 'u:Name a colour.|a:Blue.', 's:Be kind.|u:One|a:Two', 'u:', 's:|u:x',
    'u:  two spaces before, and after  \n', 'u:\n\n\tcode:\n    x = 1\n\n|a:    y = 2\n\n\n|u: z ', 'u:\u00a0\u3000nbsp\u2028|a:\x1f x \x1c|u:ok',
    's:Rules:\n\n|u:\n\nGo', 'u:' + MIXED, 's:' + MIXED + '|u:' + MIXED + '|a:' + MIXED + '|u:' + MIXED, 'u:▁▁ ▁|a:▁|u: ▁x', 'u:x|a:|u:y',
]
ROLES = {'s': 'system', 'u': 'user', 'a': 'assistant'}


def vocabulary(root):
    proto = pb.ModelProto()
    with open(f'{root}/tokenizer/small/gemma.model', 'rb') as file: proto.ParseFromString(file.read())
    names = {'<start_of_turn>': CONTROLS[0], '<end_of_turn>': CONTROLS[1]}
    for piece in proto.pieces: piece.piece = names.get(piece.piece, piece.piece)
    for name in CONTROLS[2:-1]: proto.pieces.add(piece=name, score=0, type=pb.ModelProto.SentencePiece.CONTROL)
    with open(f'{root}/tokenizer/small/gemma4.model', 'wb') as file: file.write(proto.SerializeToString())
    return sentencepiece.SentencePieceProcessor(model_file=f'{root}/tokenizer/small/gemma4.model')


def ids(processor, template, conversation, prompt):
    mask = lambda s: re.sub('|'.join(map(re.escape, CONTROLS)), lambda m: f'\ue000{CONTROLS.index(m[0])}\ue001', s)
    unmask = lambda s: re.sub('\ue000(\\d+)\ue001', lambda m: CONTROLS[int(m[1])], s)
    text = template.render(messages=[dict(m, content=mask(m['content'])) for m in conversation], add_generation_prompt=prompt, bos_token='<bos>')
    found = []
    for part in re.split('(' + '|'.join(map(re.escape, CONTROLS)) + ')', text):
        if part in CONTROLS: found.append(processor.piece_to_id(part))
        elif part: found += processor.encode(unmask(part))
    return unmask(text), found


def main(path, root):
    with open(path, encoding='utf-8') as file: template = _compile_jinja_template(file.read())
    cases = [dict(messages=messages, tools=tools, text=template.render(messages=messages, tools=tools, add_generation_prompt=True, bos_token='<bos>'))
             for messages, tools in CONVERSATIONS]
    with open(f'{root}/tools/gemma4.json', 'w', encoding='utf-8') as file: file.write(json.dumps(cases, ensure_ascii=False, indent=1) + '\n')
    processor, chats = vocabulary(root), []
    for short in CHATS:
        conversation = [dict(role=ROLES[part[0]], content=part[2:]) for part in re.split(r'\|(?=[sua]:)', short)]
        for prompt in (True, False):
            text, tokens = ids(processor, template, conversation, prompt)
            chats.append(dict(format='gemma4', vocabulary='small/gemma4.model', messages=conversation, prompt=prompt, text=text, ids=tokens))
    with open(f'{root}/tokenizer/chat-gemma4.json', 'w', encoding='utf-8') as file:
        file.write('[\n' + ',\n'.join(json.dumps(chat, separators=(',', ':')) for chat in chats) + '\n]\n')


if __name__ == '__main__':
    main(*sys.argv[1:])
