"""Checks the chat templates that Facet writes against the models' own ones.

    python3 tools/chat_templates.py Tests/Goldens/tokenizer

chat_templates.json holds Facet's templates (a Swift test keeps it equal to ChatFormat.template), chat.json what the models' own templates
made of many conversations (tools/chat_goldens.py). transformers renders the former; every text must be the latter's."""
import json, sys
from transformers.utils.chat_template_utils import _compile_jinja_template


def main(folder):
    templates = json.load(open(f'{folder}/chat_templates.json', encoding='utf-8'))
    cases = [c for c in json.load(open(f'{folder}/chat.json', encoding='utf-8')) if c['format'] in templates]
    for case in cases:
        # Gemma 2's template refuses what ours takes, and says the same of the rest.
        text = _compile_jinja_template(templates[case['format']]).render(
            messages=case['messages'], add_generation_prompt=case['prompt'], bos_token='<bos>')
        assert text == case['text'], (case, text)
    print(f'{len(cases)} conversations as the models\' own templates have them')


main(*sys.argv[1:])
