"""Conversations rendered by the models' own templates and encoded by independent tokenizers, for the tests of ChatFormat.

    python3 tools/chat_goldens.py SHARED_DATA GEMMA3.gguf SMOLLM2.gguf Tests/Goldens/tokenizer

Oracles: transformers renders the Jinja templates (SmolLM2's from its file, the others as the models' tokenizer_config.json has
them); sentencepiece or tokenizers encodes what stands between control tokens. Mistral's own package mistral-common
encodes its conversations from beginning to end. The text of control tokens inside a message is masked while the template
runs, so that it stays text, which is what Facet promises."""
import json, re, sys
import sentencepiece
from mistral_common.protocol.instruct.messages import AssistantMessage, SystemMessage, UserMessage
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.protocol.instruct.validator import ValidationMode
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer
from transformers.utils.chat_template_utils import _compile_jinja_template
from tokenizer_goldens import byte_level, contents, gemma_proto, processor
import gguf

ALTERNATE = "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}"
GEMMA2 = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}" + ALTERNATE + "{% endif %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}"
    "{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{'<start_of_turn>model\\n'}}{% endif %}")
GEMMA3 = (
    "{{ bos_token }}{%- if messages[0]['role'] == 'system' -%}{%- set first_user_prefix = messages[0]['content'] + '\\n\\n' -%}{%- set loop_messages = messages[1:] -%}"
    "{%- else -%}{%- set first_user_prefix = '' -%}{%- set loop_messages = messages -%}{%- endif -%}{%- for message in loop_messages -%}"
    "{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}" + ALTERNATE + "{%- endif -%}{%- if (message['role'] == 'assistant') -%}{%- set role = 'model' -%}"
    "{%- else -%}{%- set role = message['role'] -%}{%- endif -%}{{ '<start_of_turn>' + role + '\\n' + (first_user_prefix if loop.first else '') }}{{ message['content'] | trim }}"
    "{{ '<end_of_turn>\\n' }}{%- endfor -%}{%- if add_generation_prompt -%}{{'<start_of_turn>model\\n'}}{%- endif -%}")
LLAMA2 = (
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}"
    "{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}" + ALTERNATE + "{% endif %}"
    "{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}"
    "{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}"
    "{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}")
CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")

MIXED = 'Say <bos>, <start_of_turn>user, <end_of_turn>, </s><s>, [INST] x [/INST], <|im_start|>system\n<|im_end|>, <<SYS>>, <|endoftext|>, <b>bold</b>.'
CONVERSATIONS = [
    'u:Hello', 's:Be brief.|u:What is the capital of France?', 'u:Hi|a:Hello! How can I help?|u:Tell me a joke.', 's:You are a pirate.|u:Hi|a:Arr!|u:Where is the gold?|a:Buried.|u:Where?',
    'u:Name a colour.|a:Blue.', 's:Be kind.|u:One|a:Two', 'u:', 's:|u:x', 'u:  two spaces before, and after  \n', 'u:\n\n\tcode:\n    x = 1\n\n|a:    y = 2\n\n\n|u: z ', 'u:\u00a0\u3000nbsp\u2028|a:\x1f x \x1c|u:ok', 's:Rules:\n\n|u:\n\nGo',
    'u:' + MIXED, 's:' + MIXED + '|u:' + MIXED + '|a:' + MIXED + '|u:' + MIXED, 'u:▁▁ ▁|a:▁|u: ▁x', 'u:日本語で話してください。😀|a:はい。|u:Спасибо', 'u:def f(x):\n\treturn x*2  # 1234|a:```python\nprint(f(21))\n```|u:<h1>Title</h1>\r\n',
    'u:a|a:b|u:c|a:d|u:e|a:f|u:g', 'u:x|a:|u:y', 'u:Hi |a: padded  |u: next |a:yes  ', 's: |u:x', 'u:0123456789|a:3.14159|u:2^10?', "u:I'm|a:you're|u:we'll",
]
ROLES = {'s': 'system', 'u': 'user', 'a': 'assistant'}


def messages(short):
    # A | that a message itself holds would be read as a separator; none does, except inside <|…|>.
    parts = re.split(r'\|(?=[sua]:)', short)
    return [dict(role=ROLES[p[0]], content=p[2:]) for p in parts]


def rendered(template, conversation, controls, prompt, bos, eos, encode):
    """The template's text, and its ids with `encode` for each stretch between control tokens."""
    mask = lambda s: re.sub('|'.join(map(re.escape, controls)), lambda m: f'\ue000{controls.index(m[0])}\ue001', s)
    unmask = lambda s: re.sub('\ue000(\\d+)\ue001', lambda m: controls[int(m[1])], s)
    masked = [dict(m, content=mask(m['content'])) for m in conversation]
    text = _compile_jinja_template(template).render(messages=masked, add_generation_prompt=prompt, bos_token=bos, eos_token=eos)
    ids = []
    for part in re.split('(' + '|'.join(map(re.escape, controls)) + ')', text):
        if part in controls:
            ids.append(encode.control(part))
        elif part:
            ids += encode.text(unmask(part))
    return unmask(text), ids


class SentencePieces:
    def __init__(self, sp):
        self.control, self.text = sp.piece_to_id, sp.encode


class Bytes:
    def __init__(self, path):
        v = contents(path)
        index = {p: i for i, p in enumerate(v['tokens'])}
        t = byte_level(index, [tuple(m.split(' ')) for m in v['merges']], 'smollm')
        self.control, self.text = index.get, lambda s: t.encode(s).ids


def mistral(tokenizers, conversation):
    kinds = dict(system=SystemMessage, user=UserMessage, assistant=AssistantMessage)
    # A conversation that ends with an answer is one for training.
    tokenizer = tokenizers[conversation[-1]['role'] == 'assistant']
    e = tokenizer.encode_chat_completion(ChatCompletionRequest(messages=[kinds[m['role']](content=m['content']) for m in conversation]))
    return e.text, e.tokens


def main(data, gemma, smol, out):
    cases = []
    sp = lambda path: sentencepiece.SentencePieceProcessor(model_file=path)
    smollm = Bytes(smol)
    smol_template = gguf.GGUFReader(smol).fields['tokenizer.chat_template'].contents()
    turns = ['<start_of_turn>', '<end_of_turn>', '<bos>']
    v1 = SentencePieces(sp(f'{data}/tokenizers/mistral-v1.tokenizer.model'))
    plans = [
        ('gemma', 'small/gemma.model', GEMMA3, turns, '<bos>', None, SentencePieces(sp(f'{out}/small/gemma.model')), (True, False)),
        ('gemma', 'small/gemma.model', GEMMA2, turns, '<bos>', None, SentencePieces(sp(f'{out}/small/gemma.model')), (True,)),
        ('gemma', 'gemma3', GEMMA3, turns, '<bos>', None, SentencePieces(processor(gemma_proto(gemma))), (True,)),
        ('llama2', 'mistral-v1', LLAMA2, ['<s>', '</s>'], '<s>', '</s>', v1, (True,)),
        ('chatML', 'smollm2', CHATML, ['<|im_start|>', '<|im_end|>'], '', '', smollm, (True, False)),
        ('smolLM2', 'smollm2', smol_template, ['<|im_start|>', '<|im_end|>'], '', '', smollm, (True, False)),
    ]
    refused = []
    for name, vocabulary, template, controls, bos, eos, encode, prompts in plans:
        for conversation in map(messages, CONVERSATIONS):
            for prompt in prompts:
                try:
                    text, ids = rendered(template, conversation, controls, prompt, bos, eos, encode)
                except Exception as error:
                    refused.append(f'{name}: {error}')
                    continue
                cases.append(dict(format=name, vocabulary=vocabulary, messages=conversation, prompt=prompt, text=text, ids=ids))
    names = dict(v1='tokenizer.model.v1', v3='mistral_instruct_tokenizer_240323.model.v3')
    load = lambda v: [MistralTokenizer.from_file(str(MistralTokenizer._data_path() / names[v]), mode=mode) for mode in (ValidationMode.test, ValidationMode.finetuning)]
    for name, vocabulary, tokenizers in (('mistral', 'mistral-v1', load('v1')), ('mistralV3', 'mistral-v3', load('v3'))):
        for conversation in map(messages, CONVERSATIONS):
            try:
                _, ids = mistral(tokenizers, conversation)
            except Exception as error:
                refused.append(f'{name}: {str(error)[:90]}')
                continue
            cases.append(dict(format=name, vocabulary=vocabulary, messages=conversation, prompt=True, ids=ids))
    with open(f'{out}/chat.json', 'w', encoding='utf-8') as f:
        f.write('[\n' + ',\n'.join(json.dumps(c, separators=(',', ':')) for c in cases) + '\n]\n')
    print(f'{len(cases)} cases; refused by the oracle:', *refused, sep='\n  ')


if __name__ == '__main__':
    main(*sys.argv[1:5])
