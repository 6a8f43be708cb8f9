# SPDX-License-Identifier: Apache-2.0
# Part of Facet: Gemma, end to end, in Swift.
"""Result files, tables and text as lm-evaluation-harness and Python write them.

  evaluation_result_goldens.py make FOLDER   writes the goldens (Tests/Goldens/evaluation/results)
  evaluation_result_goldens.py read FOLDER   holds files that Facet wrote against lm-eval's readers;
                                             FOLDER has results_*.json, samples_*.jsonl and table.md

Needs lm-eval 0.4.13. The model is lm-eval's own `dummy`, whose answers are random numbers of a seed;
the tasks are small and local, so nothing is fetched.
"""

import json
import math
import os
import random
import struct
import sys
import tempfile
from pathlib import Path

os.environ.update(HF_DATASETS_OFFLINE="1", HF_HUB_OFFLINE="1", DISABLE_MULTIPROC="1")

QUESTIONS = [
    'What is “naïve”, a café or a 🐈?',
    'Tabs\tand "quotes" and \\ and </script>\n<b>bold</b>\u0007\u007f',
    "Plain words",
    "日本語 e\u0301 \u2028 end",
    "What is 1e-7?",
    "One more, with a longer text that nobody needs to read to its end",
]
NUMBERS = [1e-7, 1.0, 1e22, 0.1, 123456789012345680.0, -0.0]

CHOICE = """
task: {name}
task_alias: {alias}
dataset_path: json
dataset_kwargs: {{data_files: {{test: rows.jsonl}}}}
test_split: test
output_type: multiple_choice
doc_to_text: "Q: {{{{question}}}}\\nA:"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: answer
metric_list:
  - {{metric: acc, aggregation: mean, higher_is_better: true}}
  - {{metric: acc_norm, aggregation: mean, higher_is_better: true}}
metadata: {{version: {version}}}
"""

WRITTEN = """
task: toy_written
dataset_path: json
dataset_kwargs: {data_files: {test: rows.jsonl}}
test_split: test
output_type: generate_until
doc_to_text: "Q: {{question}}\\nA:"
doc_to_target: "{{choices[answer]}}"
generation_kwargs: {until: ["\\n"], max_gen_toks: 7, do_sample: false}
filter_list:
  - name: strict
    filter: [{function: take_first}]
  - name: letter
    filter: [{function: regex, regex_pattern: "([a-k])"}, {function: take_first}]
metric_list:
  - {metric: exact_match, aggregation: mean, higher_is_better: true}
metadata: {version: 3.0}
"""

WHOLE = """
task: toy_whole
dataset_path: json
dataset_kwargs: {data_files: {test: rows.jsonl}}
test_split: test
output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{question}}"
metric_list:
  - {metric: word_perplexity, aggregation: weighted_perplexity, higher_is_better: false}
  - {metric: byte_perplexity, aggregation: weighted_perplexity, higher_is_better: false}
  - {metric: bits_per_byte, aggregation: bits_per_byte, higher_is_better: false}
metadata: {version: 2.0}
"""

GROUPS = """
group: toys
group_alias: Toys
task:
  - group: toys_inner
    group_alias: inner
    task: [toy_a, toy_b]
    aggregate_metric_list:
      - {metric: acc, weight_by_size: true}
    metadata: {version: 2}
  - toy_c
aggregate_metric_list:
  - {metric: acc, weight_by_size: true}
  - {metric: acc_norm, weight_by_size: false}
metadata: {version: 1.5}
"""


def write_tasks():
    rows = [
        {
            "question": question,
            "choices": ["a", "b\n</script>", "c"],
            "answer": index % 3,
            "number": number,
            "note": None if index % 2 else {"deep": [index, [], {}]},
        }
        for index, (question, number) in enumerate(zip(QUESTIONS, NUMBERS))
    ]
    with open("rows.jsonl", "w", encoding="utf-8") as file:
        for row in rows * 4:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    Path("tasks").mkdir()
    for name, alias, version in (("toy_a", "a", "1.0"), ("toy_b", "b", "0.5"), ("toy_c", "c", "1.0")):
        text = CHOICE.format(name=name, alias=alias, version=version)
        Path(f"tasks/{name}.yaml").write_text(text)
    Path("tasks/written.yaml").write_text(WRITTEN)
    Path("tasks/whole.yaml").write_text(WHOLE)
    Path("tasks/groups.yaml").write_text(GROUPS)


def run(name, seed, tasks):
    import lm_eval
    from lm_eval.loggers import EvaluationTracker
    from lm_eval.tasks import TaskManager
    from lm_eval.utils import make_table

    tracker = EvaluationTracker(output_path="out")
    result = lm_eval.simple_evaluate(
        model="dummy",
        model_args=f"pretrained={name}",
        tasks=tasks,
        task_manager=TaskManager(include_path="tasks", include_defaults=False),
        evaluation_tracker=tracker,
        random_seed=seed,
        bootstrap_iters=100,
    )
    samples = result.pop("samples")
    result["pretty_env_info"] = "a machine"
    result["git_hash"] = result["upper_git_hash"] = None
    tracker.save_results_aggregated(results=result, samples=samples)
    for task in result["configs"]:
        tracker.save_results_samples(task_name=task, samples=samples[task])
    return make_table(result) + "\n" + make_table(result, "groups")


def random_table(rng):
    """A result with odd names and figures, and lm-eval's table of it."""
    from lm_eval.utils import make_table

    names = ["arc_easy", "mmlu", "日本", "a|b", "x" * rng.randrange(1, 30), "e"][: rng.randrange(1, 7)]
    result = {"results": {}, "versions": {}, "n-shot": {}, "higher_is_better": {}, "group_subtasks": {}}
    style = rng.randrange(4)
    for name in names:
        entry = {"name": name, "alias": " - " + name if rng.random() < 0.2 else name, "sample_len": 3}
        for metric in rng.sample(["acc", "acc_norm", "exact_match", "word_perplexity"], rng.randrange(1, 4)):
            for filter_name in rng.choice([["none"], ["strict-match", "flexible-extract"]]):
                value = rng.choice([0.0, 1.0, 0.5, rng.random(), 1234.5, -2.25, math.inf, math.nan, 3e-5])
                if style == 0:
                    value = rng.choice([0.0, 1.0])
                elif style == 1:
                    value = round(rng.random(), 2)
                entry[f"{metric},{filter_name}"] = value
                error = rng.choice(["N/A", 0.0, rng.random()]) if style else rng.choice([0.0, rng.random()])
                entry[f"{metric}_stderr,{filter_name}"] = error
            result["higher_is_better"].setdefault(name, {})[metric] = rng.choice([True, False])
        result["results"][name] = entry
        result["versions"][name] = rng.choice([1.0, 2.0] if style < 2 else [1.0, 0.25, 3.0])
        result["n-shot"][name] = rng.choice([0, 5, 25])
    return {"result": result, "table": make_table(result)}


def floats(rng):
    values = [0.0, -0.0, 1.0, 0.1, 1e-4, 1e-5, 9.999e-5, 1e15, 1e16, 1e17, 123456789012345678.0, 5e-324]
    values += [1.7976931348623157e308, 2.2250738585072014e-308, 4503599627370496.5, 1e22, 1e23, 0.3]
    values += [math.inf, -math.inf, math.nan]
    while len(values) < 400:
        value = struct.unpack("<d", rng.randbytes(8))[0]
        value = rng.choice([value, rng.uniform(-1e3, 0), 10 ** rng.uniform(-7, 18), float(rng.randrange(10**17))])
        if math.isfinite(value):
            values.append(value)
    return [[struct.pack(">d", value).hex(), repr(value)] for value in values]


def random_json(rng, depth=0):
    kind = rng.randrange(8 if depth < 4 else 6)
    if kind == 6:
        return [random_json(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind == 7:
        return {f"k{i}{chr(rng.randrange(32, 900))}": random_json(rng, depth + 1) for i in range(rng.randrange(4))}
    text = "".join(chr(rng.choice([rng.randrange(0, 140), rng.randrange(0x20, 0x3000)])) for _ in range(6))
    return [None, True, False, rng.randrange(-(2**63), 2**63), rng.choice([1e-7, 0.5, 1e20, -3.25]), text][kind]


def make(folder):
    folder = Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    home = os.getcwd()
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        write_tasks()
        table = run("org/first model", 0, ["toys", "toy_written", "toy_whole"])
        run("second", 1, ["toys"])
        os.chdir(home)
        for target, name in (("first", "org__first model"), ("second", "second")):
            (folder / target).mkdir(exist_ok=True)
            for old in (folder / target).iterdir():
                old.unlink()
            for file in (Path(scratch) / "out" / name).iterdir():
                (folder / target / file.name).write_bytes(file.read_bytes())
        (folder / "first" / "table.md").write_text(table, encoding="utf-8")
    rng = random.Random(20261125)
    page = {"tables": [random_table(rng) for _ in range(25)]}
    (folder / "tables.json").write_text(json.dumps(page, ensure_ascii=False), encoding="utf-8")
    values = [random_json(rng) for _ in range(60)]
    page = {
        "floats": floats(rng),
        "dumps": [
            {
                "value": value,
                "line": json.dumps(value, ensure_ascii=False),
                "page": json.dumps(value, indent=2, ensure_ascii=False),
            }
            for value in values
        ],
    }
    (folder / "text.json").write_text(json.dumps(page, ensure_ascii=False), encoding="utf-8")


def read(folder):
    from datasets import load_dataset
    from lm_eval.utils import get_file_datetime, get_results_filenames, get_sample_results_filenames
    from lm_eval.utils import get_file_task_name, handle_non_serializable, hash_string, make_table

    paths = [str(path) for path in Path(folder).rglob("*")]
    results, samples = get_results_filenames(paths), get_sample_results_filenames(paths)
    assert len(results) == 1 and samples, (results, samples)
    page = json.loads(Path(results[0]).read_text(encoding="utf-8"))
    table = make_table(page) + ("\n" + make_table(page, "groups") if "groups" in page else "")
    ours = (Path(results[0]).parent / "table.md").read_text(encoding="utf-8")
    assert ours == table, f"tables differ:\n{ours}\n{table}"
    load_dataset("json", data_files=results[0], split="train")
    for path in samples:
        task = get_file_task_name(Path(path).name)
        assert task in page["configs"], task
        assert get_file_datetime(Path(path).name) == get_file_datetime(Path(results[0]).name).replace(".json", "")
        rows = load_dataset("json", data_files=path, split="train")
        lines = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").split("\n") if line]
        joined = ""
        for line in lines:
            text = json.dumps(line["doc"], indent=2, default=handle_non_serializable, ensure_ascii=False)
            assert line["doc_hash"] == hash_string(text), (task, line["doc_id"])
            assert line["prompt_hash"] == hash_string(line["arguments"]["gen_args_0"]["arg_0"])
            assert line["target_hash"] == hash_string(line["target"])
            joined += line["doc_hash"] + line["prompt_hash"] + line["target_hash"]
        assert page["task_hashes"][task] == hash_string(joined), task
        print(f"{task}: {len(rows)} lines, hashes equal")
    print("the table is lm-eval's")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("make", "read"):
        sys.exit(__doc__)
    (make if sys.argv[1] == "make" else read)(sys.argv[2])
