"""Which tokens of a row are trained, as TRL's SFTTrainer has it for a Gemma model.

    python3 tools/mask_goldens.py Tests/Goldens

Oracle: trl 1.16.0's own preparation of data and collator, asked for by the rows' form and `assistant_only_loss`, with its training variant of
Gemma 3's template and the small vocabulary tokenizer/small/gemma.json. `tuning/masks.json`: the rows, what was asked for, the ids and whether
each counts. TRL counts the newline after `<end_of_turn>` as well, where answers have stopped already."""
import json, os, sys, tempfile
os.environ['CUDA_VISIBLE_DEVICES'] = ''
from datasets import Dataset
from transformers import Gemma3ForCausalLM, Gemma3TextConfig, PreTrainedTokenizerFast
from trl import SFTConfig, SFTTrainer
from trl.chat_template_utils import gemma3_chat_template


def user(text): return dict(role='user', content=text)
def assistant(text): return dict(role='assistant', content=text)
def system(text): return dict(role='system', content=text)


MESSAGES = [
    [user('What is 2+2?'), assistant('It is 4.')],
    [system('Be brief.'), user('Hi'), assistant('Hello! How can I help?'), user('Tell me a joke.'), assistant('No.')],
    [user('  two spaces before\n'), assistant('\n\tcode:\n    x = 1\n'), user('z'), assistant('  and é, 日本')],
    [user('a'), assistant('b'), user('c')],
]
GROUPS = [
    ('messages', True, [dict(messages=m) for m in MESSAGES]),
    ('messages', False, [dict(messages=m) for m in MESSAGES]),
    ('completion', False, [dict(prompt=m[:-1], completion=m[-1:]) for m in MESSAGES[:3]]),
    ('completion', False, [dict(prompt='The sky is', completion=' blue.'), dict(prompt='Sum:\n1 + 1 =', completion=' 2\n')]),
    ('text', False, [dict(text='Once upon a time.'), dict(text='é\n\n日本')]),
]


def main(root):
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=root + '/tokenizer/small/gemma.json', bos_token='<bos>', eos_token='<eos>',
                                        pad_token='<pad>', chat_template=gemma3_chat_template)
    model = Gemma3ForCausalLM(Gemma3TextConfig(vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
                                               num_attention_heads=1, num_key_value_heads=1, head_dim=16))
    found = []
    for form, assistant_only, rows in GROUPS:
        with tempfile.TemporaryDirectory() as folder:
            settings = SFTConfig(output_dir=folder, assistant_only_loss=assistant_only, max_length=None, use_cpu=True, bf16=False, report_to=[])
            trainer = SFTTrainer(model, settings, train_dataset=Dataset.from_list(rows), processing_class=tokenizer)
            for row, prepared in zip(rows, trainer.train_dataset):
                batch = trainer.data_collator([dict(prepared)])
                ids, labels = batch['input_ids'][0].tolist(), batch['labels'][0].tolist()
                found.append(dict(form=form, assistant_only=assistant_only, row=row, ids=ids,
                                  counts=''.join('1' if label >= 0 else '0' for label in labels)))
    os.makedirs(root + '/tuning', exist_ok=True)
    with open(root + '/tuning/masks.json', 'w', encoding='utf-8') as file:
        json.dump(found, file, ensure_ascii=False, indent=0)
        file.write('\n')


main(sys.argv[1])
