"""What transformers makes of texts as vectors, and how likely it finds their tokens, on the fixtures.

    python3 tools/embedding_goldens.py Tests/Goldens/fixtures Tests/Goldens/embeddings/fixtures.json

Oracle: transformers in f32, eager attention, every text by itself, without a cache: the last hidden state (after the final
norm) as its mean and its last row, and the log-probability of each token but the first."""
import json, os, sys
import torch
import transformers

torch.set_num_threads(1)
FAMILIES = ['gemma1', 'gemma2', 'gemma3', 'llama', 'mistral']


def short(values):
    return [float(f'{float(x):.7g}') for x in values]


def texts_of(folder):
    """The prompts of the fixtures, one token, and two texts longer than a chunk of any prefill test."""
    prompts = [p['tokens'] for p in json.load(open(os.path.join(folder, 'goldens.json')))['prompts']]
    random = torch.Generator().manual_seed(7)
    drawn = [torch.randint(5, 380, (count,), generator=random).tolist() for count in (1, 40, 200)]
    return prompts + [prompts[0][:1]] + [prompts[0][:1] + ids for ids in drawn]


def golden(model, tokens):
    with torch.no_grad():
        out = model(torch.tensor([tokens]), use_cache=False, output_hidden_states=True)
    states = out.hidden_states[-1][0].double()
    logs = torch.log_softmax(out.logits[0].double(), -1)
    scores = [float(logs[i, t]) for i, t in enumerate(tokens[1:])]
    return dict(tokens=tokens, mean=short(states.mean(0)), last=short(states[-1]), scores=short(scores))


def main(fixtures, path):
    result = {}
    for name in FAMILIES:
        folder = os.path.join(fixtures, name)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            os.path.join(folder, 'hf'), dtype=torch.float32, attn_implementation='eager').eval()
        result[name] = [golden(model, tokens) for tokens in texts_of(folder)]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w') as file:
        file.write(json.dumps(result, separators=(',', ':')) + '\n')


main(*sys.argv[1:])
