# SPDX-License-Identifier: Apache-2.0
# Part of Facet: Gemma, end to end, in Swift.
"""What guides cost and save, by the command: answers with and without one in turn, medians.

    python3 tools/guide_costs.py .build/release/facet gemma3:270m [RUNS]

The first table is greedy text of 128 tokens, alone and under a guide that allows any text: the difference is what masks
cost. The second is JSON whose names are forced, and text of as many tokens without a guide.
"""
import json
import statistics
import subprocess
import sys
import tempfile

SCHEMA = {
    "type": "object", "additionalProperties": False,
    "required": ["full_name", "year_of_birth", "occupation", "favourite_colour", "is_retired"],
    "properties": {
        "full_name": {"enum": ["Anna Schmidt", "Jean Dupont"]},
        "year_of_birth": {"type": "integer", "minimum": 1900, "maximum": 2020},
        "occupation": {"enum": ["engineer", "teacher", "doctor"]},
        "favourite_colour": {"enum": ["red", "green", "blue"]},
        "is_retired": {"type": "boolean"},
    },
}


def answer(facet, model, tokens, *guide):
    command = [facet, "run", model, "A person as JSON: ", "--greedy", "--max-tokens", str(tokens), "--json", *guide]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    summary = json.loads(lines[-1])
    assert summary["event"] == "finished", summary
    return summary


def pairs(runs, *makers):
    found = [[] for _ in makers]
    for _ in range(runs):
        for results, make in zip(found, makers):
            results.append(make())
    return found


def seconds(summary):
    return summary["decode_s"]


def main(facet, model, runs="7"):
    runs = int(runs)
    free, guided = pairs(
        runs, lambda: answer(facet, model, 128),
        lambda: answer(facet, model, 128, "--regex", r"[\s\S]*"))
    one, two = (statistics.median(seconds(s) / (s["generated_tokens"] - 1) for s in group) for group in (free, guided))
    print(f"any text: {1000 * one:.2f} ms a token alone, {1000 * two:.2f} ms under a guide, {100 * (two / one - 1):+.1f} %")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(SCHEMA, file)
        file.flush()
        schema = ("--schema", file.name)
        count = answer(facet, model, 200, *schema)["generated_tokens"]
        forced, plain = pairs(
            runs, lambda: answer(facet, model, 200, *schema), lambda: answer(facet, model, count))
    one, two = (statistics.median(map(seconds, group)) for group in (forced, plain))
    print(f"JSON of {count} tokens, {forced[0]['forced_tokens']} forced: {one:.3f} s; text of "
          f"{plain[0]['generated_tokens']} tokens: {two:.3f} s, {two / one:.2f} times as long")


if __name__ == "__main__":
    main(*sys.argv[1:])
