"""Tuning the Gemma 3 270M with transformers and PEFT: the losses of twenty steps, and how fast and large it is.

    python3 tools/tuning_270m.py golden gemma-3-270m-q4_k_m.gguf TEXT Tests/Goldens/gemma3-270m/tuning.json
    python3 tools/tuning_270m.py speed gemma-3-270m-q4_k_m.gguf lora|full bf16|f32 [BATCH LENGTH STEPS THREADS]

golden: LoRA of rank 16 and alpha 32 on all linear matrices, in f32, AdamW at 2e-4 without decay, two pieces of TEXT of 48 tokens a
step; A is the noise of tools/gradient_goldens.py over the root of its columns, B zero. speed: random tokens, all positions
trained, eager attention replaced by sdpa, gradients of every step applied."""
import json, math, resource, sys, time
import gguf
import peft
import torch
import transformers
from gemma_270m_goldens import model_of, tokenizer_of

ROLES = ['embedding', 'head', 'finalNorm', 'attentionNorm', 'query', 'key', 'value', 'attentionOutput', 'queryNorm', 'keyNorm',
         'postAttentionNorm', 'feedForwardNorm', 'gate', 'up', 'down', 'postFeedForwardNorm']
MODULES = {'q_proj': 'query', 'k_proj': 'key', 'v_proj': 'value', 'o_proj': 'attentionOutput', 'gate_proj': 'gate', 'up_proj': 'up',
           'down_proj': 'down'}


def mix(seed, count):
    import numpy as np
    with np.errstate(over='ignore'):
        z = np.uint64(seed) + np.arange(count, dtype=np.uint64) * np.uint64(0x9e3779b97f4a7c15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xbf58476d1ce4e5b9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94d049bb133111eb)
        return ((z ^ (z >> np.uint64(31))) >> np.uint64(40)).astype(np.float64) * 2.0 ** -23 - 1


def adapted(model):
    config = peft.LoraConfig(r=16, lora_alpha=32, lora_dropout=0, target_modules=list(MODULES))
    return peft.get_peft_model(model, config)


def golden(path, text, output):
    reader = gguf.GGUFReader(path)
    tokenizer, bos = tokenizer_of(reader)
    model = adapted(model_of(reader))
    for key, value in model.named_parameters():
        if 'lora_A' in key:
            parts = key.split('layers.')[1].split('.')
            seed = 100 * int(parts[0]) + ROLES.index(MODULES[parts[2]])
            noise = torch.tensor(mix(seed, value.numel()), dtype=torch.float32).reshape(value.shape)
            with torch.no_grad():
                value.copy_(noise / math.sqrt(value.shape[1]))
    ids = tokenizer.encode(open(text, encoding='utf-8').read()[:20000])
    steps = [[[bos] + ids[start:start + 47] for start in (94 * step, 94 * step + 47)] for step in range(20)]
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=2e-4, weight_decay=0)
    losses = []
    for batch in steps:
        tokens = torch.tensor(batch)
        logits = model(tokens, use_cache=False).logits[:, :-1].float()
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), tokens[:, 1:].reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(round(loss.item(), 6))
        print(losses[-1], flush=True)
    with open(output, 'w') as file:
        json.dump(dict(batches=steps, losses=losses), file, separators=(',', ':'))


def speed(path, method, dtype, batch=4, length=256, steps=4, threads=2):
    torch.set_num_threads(int(threads))
    model = model_of(gguf.GGUFReader(path))
    model.config._attn_implementation = 'sdpa'
    model = model.to({'bf16': torch.bfloat16, 'f32': torch.float32}[dtype])
    if method == 'lora':
        model = adapted(model)
    model.train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4)
    torch.manual_seed(1)
    rates = []
    for _ in range(int(steps)):
        tokens = torch.randint(10, 200000, (int(batch), int(length)))
        begin = time.perf_counter()
        model(tokens, labels=tokens, use_cache=False).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        rates.append(tokens.numel() / (time.perf_counter() - begin))
        print(f'{rates[-1]:.1f} tokens/s', flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(dict(method=method, dtype=dtype, tokens_per_second=sorted(rates[1:])[len(rates[1:]) // 2], peak_mb=peak)))


if __name__ == '__main__':
    dict(golden=golden, speed=speed)[sys.argv[1]](*sys.argv[2:])
