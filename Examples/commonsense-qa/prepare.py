"""Questions of CommonsenseQA as conversations for tuning: python3 prepare.py train.jsonl

Writes rows.jsonl and, from every tenth question, held-out.jsonl beside this script."""
import json, os, sys


def row(question):
    choices = dict(zip(question['choices']['label'], question['choices']['text']))
    ask = f"Question: {question['question']}\nChoices: {', '.join(choices.values())}\nAnswer:"
    return dict(messages=[dict(role='user', content=ask), dict(role='assistant', content=choices[question['answerKey']])])


rows = [row(json.loads(line)) for line in open(sys.argv[1], encoding='utf-8')]
folder = os.path.dirname(os.path.abspath(__file__))
for name, part in ('held-out', rows[::10]), ('rows', [row for index, row in enumerate(rows) if index % 10]):
    with open(f'{folder}/{name}.jsonl', 'w', encoding='utf-8') as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + '\n' for row in part)
    print(f'{name}.jsonl: {len(part)} rows')
