"""How often a model names the right choice: python3 accuracy.py held-out.jsonl COUNT MODEL [options of facet run]

Asks `facet run` for the likeliest answer to each of the first COUNT questions; only the very words of the choice count."""
import json, os, subprocess, sys

path, count, options = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
facet = os.environ.get('FACET', 'facet')
right = 0
rows = [json.loads(line)['messages'] for line in open(path, encoding='utf-8')][:count]
for question, expected in rows:
    answer = subprocess.run(
        [facet, 'run', *options, '--temperature', '0', '--max-tokens', '8', question['content']],
        capture_output=True, text=True, check=True).stdout
    right += answer.strip().split('\n')[0] == expected['content']
print(f'{right} of {len(rows)} right: {100 * right / len(rows):.1f} %')
