"""lm-evaluation-harness end to end, and a fuzzer that reads the description of the routes."""

import glob
import json
import math
import os
import subprocess
import sys
import tempfile

from server import BASE, CHAT, Server

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
    """Its scores are the engine's own, without a server between; it needs no tokenizer of its own."""
    folder = _task(server)
    # It does not say whose tokens it wants: those of the model that the server names first.
    with Server(server.program, "--model", BASE, home=server.own_home) as own:
        said = _lm_eval(
            folder, "local-completions",
            f"model={BASE},base_url={own.url}/v1/completions,tokenizer_backend=remote,num_concurrent=2,max_retries=1")
    alone = os.path.join(folder, "alone")
    subprocess.run(
        [os.path.join(os.path.dirname(server.program), "facet"), "eval", BASE, "--task", folder + "/own.json", "--data",
         folder, "--output", alone], check=True, capture_output=True, timeout=240,
        env={**os.environ, "FACET_HOME": server.own_home})
    expected = _scores(alone)
    assert said["accuracy"] == expected["accuracy"] >= 5 / 6, (said["accuracy"], expected["accuracy"])
    assert len(said["scores"]) == len(expected["scores"]) == 18
    # Which products are summed together depends on what else is asked at the time; see docs/numerics.md.
    for (mine, greedy), (other, isGreedy) in zip(said["scores"], expected["scores"]):
        assert math.isclose(mine, other, abs_tol=0.4) and greedy == isGreedy, (said["scores"], expected["scores"])


def lm_evaluation_harness_as_llama_cpp(server):
    """Its client of llama.cpp's server, which sends texts and tells the context by character offsets."""
    folder = _task(server)
    by_tokens = _lm_eval(
        folder, "local-completions",
        f"model={CHAT},base_url={server.url}/v1/completions,tokenizer_backend=remote,num_concurrent=2,max_retries=1")
    # The model is that which the server holds; this client does not name one.
    by_text = _lm_eval(folder, "gguf", f"base_url={server.url}")
    assert by_text["accuracy"] == by_tokens["accuracy"]
    for (mine, _), (other, _) in zip(by_text["scores"], by_tokens["scores"]):
        assert math.isclose(mine, other, abs_tol=0.1), (by_text["scores"], by_tokens["scores"])


def _task(server):
    """A folder with questions, and the task that asks them in the words of lm-eval and of facet eval."""
    folder = tempfile.mkdtemp(prefix="harness-", dir=server.folder)
    os.makedirs(folder + "/toy")
    with open(folder + "/toy/test.jsonl", "w", encoding="utf-8") as file:
        for question, choices in QUESTIONS:
            file.write(json.dumps({"question": question, "choices": choices, "gold": 0}) + "\n")
    with open(folder + "/toy.yaml", "w", encoding="utf-8") as file:
        file.write(f"""task: toy
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder}/toy/test.jsonl}}}}
output_type: multiple_choice
test_split: test
doc_to_text: "{{{{question}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: "{{{{gold}}}}"
target_delimiter: ""
metric_list: [{{metric: acc}}]
""")
    with open(folder + "/own.json", "w", encoding="utf-8") as file:
        json.dump({"task": "toy", "version": 1, "kind": "multiple_choice", "data": {"folder": "toy", "documents": ["test"]},
                   "text": "{question}", "choices": "{choices}", "gold": "{gold}", "target_delimiter": "",
                   "metrics": ["acc"]}, file)
    return folder


def _lm_eval(folder, model, arguments):
    done = subprocess.run(
        [_tool("lm_eval"), "--model", model, "--model_args", arguments, "--tasks", "toy", "--include_path", folder,
         "--output_path", f"{folder}/{model}", "--log_samples"], capture_output=True, text=True, timeout=300,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "OPENAI_API_KEY": "none",
             "HF_HOME": folder + "/cache"})
    assert done.returncode == 0, done.stderr[-3000:]
    return _scores(f"{folder}/{model}")


def _scores(folder):
    """The accuracy, and the log-probability of each choice with whether it is the likeliest text."""
    found = lambda pattern: glob.glob(folder + "/**/" + pattern, recursive=True)[0]
    with open(found("results_*.json"), encoding="utf-8") as file:
        accuracy = json.load(file)["results"]["toy"]["acc,none"]
    scores = []
    with open(found("samples_toy_*.jsonl"), encoding="utf-8") as file:
        for line in file:
            for (said, greedy), in json.loads(line)["resps"]:
                scores.append((float(said), str(greedy) == "True"))
    return {"accuracy": accuracy, "scores": scores}


def fuzz_by_description(server):
    """schemathesis finds no answer of status 500 or above."""
    # A server and a library of its own: among what is asked is that models be deleted.
    with Server(server.program, "--model", CHAT) as own:
        done = subprocess.run(
            [_tool("schemathesis"), "run", own.url + "/openapi.json", "--checks", "not_a_server_error",
             "--max-examples", "12", "--request-timeout", "30", "--phases", "examples,coverage,fuzzing", "--exclude-path-regex",
             "/api/(pull|blobs)"],
            capture_output=True, text=True, timeout=600, cwd=own.folder)
        own.expect_alive()
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
