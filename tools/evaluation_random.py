"""What CPython's random.Random draws: examples of lm-eval's prompts depend on it.

    python3 tools/evaluation_random.py Tests/Goldens/evaluation/random.json"""
import json, platform, random, sys

SIZES = [26, 30, 40, 85, 86, 277, 278, 1000, 7473, 9741]


def main(output):
    words = random.Random(1234)
    cases = []
    for size in SIZES:
        for count in (5, 7, 10, 25):
            numbers = random.Random(1234)
            cases.append(dict(size=size, count=count, samples=[numbers.sample(range(size), count) for _ in range(3)]))
    seeds = {str(seed): random.Random(seed).sample(range(5000), 5) for seed in (0, 1, 42, 2**32 - 1)}
    with open(output, 'w') as file:
        json.dump(dict(oracle=f'CPython {platform.python_version()}', words=[words.getrandbits(32) for _ in range(1300)][-8:], seeds=seeds, cases=cases), file, separators=(',', ':'))


if __name__ == '__main__':
    main(*sys.argv[1:])
