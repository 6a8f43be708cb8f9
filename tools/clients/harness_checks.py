"""lm-evaluation-harness end to end, and a fuzzer that reads the description of the routes."""

import glob
import json
import math
import os
import subprocess
import sys

import requests
from server import BASE

QUESTIONS = [
    ("The capital of France is", [" Paris", " banana", " seven"]),
    ("Two and two make", [" four", " purple", " Paris"]),
    ("The sun rises in the", [" east", " soup", " nine"]),
    ("Water is made of hydrogen and", [" oxygen", " Tuesday", " cheese"]),
    ("A dog is an", [" animal", " the", " and of"]),
    ("Snow is cold and fire is", [" hot", " Monday", " eleven"]),
]


def _tool(name):
    return os.path.join(os.path.dirname(sys.executable), name)


def lm_evaluation_harness(server):
    """Its log-likelihoods are those of the same texts asked for directly, and it needs no tokenizer of its own."""
    folder = os.path.join(server.folder, "harness")
    os.makedirs(folder, exist_ok=True)
    with open(folder + "/toy.jsonl", "w", encoding="utf-8") as file:
        for question, choices in QUESTIONS:
            file.write(json.dumps({"question": question, "choices": choices, "gold": 0}) + "\n")
    with open(folder + "/toy.yaml", "w", encoding="utf-8") as file:
        file.write(f"""task: toy
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder}/toy.jsonl}}}}
output_type: multiple_choice
test_split: test
doc_to_text: "{{{{question}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: "{{{{gold}}}}"
target_delimiter: ""
metric_list: [{{metric: acc}}]
""")
    subprocess.run(
        [_tool("lm_eval"), "--model", "local-completions", "--model_args",
         f"model={BASE},base_url={server.url}/v1/completions,tokenizer_backend=remote,num_concurrent=2,max_retries=1",
         "--tasks", "toy", "--include_path", folder, "--output_path", folder + "/out", "--log_samples"],
        check=True, capture_output=True, timeout=240,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "OPENAI_API_KEY": "none",
             "HF_HOME": folder + "/cache"})
    results = json.load(open(glob.glob(folder + "/out/**/results_*.json", recursive=True)[0], encoding="utf-8"))
    assert results["results"]["toy"]["acc,none"] >= 5 / 6, results["results"]
    compared = 0
    for line in open(glob.glob(folder + "/out/**/samples_toy_*.jsonl", recursive=True)[0], encoding="utf-8"):
        sample = json.loads(line)
        for choice, responses in zip(sample["doc"]["choices"], sample["resps"]):
            said = float(responses[0][0])
            assert math.isclose(said, _score(server, sample["doc"]["question"], choice), abs_tol=0.05), (said, choice)
            compared += 1
    assert compared == 18


def _score(server, context, continuation):
    answer = requests.post(server.url + "/v1/completions", json={
        "model": BASE, "prompt": context + continuation, "max_tokens": 0, "echo": True, "logprobs": 1}).json()
    lists = answer["choices"][0]["logprobs"]
    return sum(p for p, at in zip(lists["token_logprobs"], lists["text_offset"]) if at >= len(context))


def fuzz_by_description(server):
    """schemathesis finds no answer of status 500."""
    done = subprocess.run(
        [_tool("schemathesis"), "run", server.url + "/openapi.json", "--checks", "not_a_server_error",
         "--max-examples", "12", "--request-timeout", "30", "--phases", "fuzzing", "--exclude-path-regex",
         "/api/(pull|blobs)"],
        capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
