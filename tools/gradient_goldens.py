"""Gradients of the fixtures, by PyTorch's autograd.

    python3 tools/gradient_goldens.py Tests/Goldens/fixtures [FAMILY ...]

Writes FAMILY/gradients.json. Oracle: transformers in f32, eager attention, every sequence of the batch alone, and PEFT for
adapters; the loss is -sum(coefficient * log p(target)). A gradient g is told by its length and 16 projections: sums of g with
the signs of a hash, so that the mean square of their differences estimates the square of |g - g'|. `curve` has the losses of
ten steps of torch.optim.AdamW on all weights (norms without decay)."""
import copy, json, sys
import numpy as np
import peft
import torch
import transformers

torch.set_num_threads(1)
PROJECTIONS = 16
ROLES = ['embedding', 'head', 'finalNorm', 'attentionNorm', 'query', 'key', 'value', 'attentionOutput', 'queryNorm', 'keyNorm',
         'postAttentionNorm', 'feedForwardNorm', 'gate', 'up', 'down', 'postFeedForwardNorm']
MODULES = {'self_attn.q_proj': 'query', 'self_attn.k_proj': 'key', 'self_attn.v_proj': 'value',
           'self_attn.o_proj': 'attentionOutput', 'mlp.gate_proj': 'gate', 'mlp.up_proj': 'up', 'mlp.down_proj': 'down'}


def mix(seed, count):
    """SplitMix64's mix of seed + index * golden ratio, for each index."""
    with np.errstate(over='ignore'):
        z = np.uint64(seed) + np.arange(count, dtype=np.uint64) * np.uint64(0x9e3779b97f4a7c15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xbf58476d1ce4e5b9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94d049bb133111eb)
        return z ^ (z >> np.uint64(31))


def noise(seed, rows, columns):
    """Numbers between -1 and 1."""
    values = (mix(seed, rows * columns) >> np.uint64(40)).astype(np.float64) * 2.0 ** -23 - 1
    return torch.tensor(values.astype(np.float32).reshape(rows, columns))


def told(gradient):
    g = gradient.detach().double().numpy().reshape(-1)
    signs = [1 - 2 * (mix(index, g.size) >> np.uint64(63)).astype(np.float64) for index in range(PROJECTIONS)]
    return dict(norm=float(np.linalg.norm(g)), projections=[float(s @ g) for s in signs])


def name_of(parameter, four_norms):
    parts = parameter.removesuffix('.weight').removeprefix('model.').split('.')
    if parts[0] != 'layers':
        return {'embed_tokens': 'embedding', 'norm': 'finalNorm', 'lm_head': 'head'}[parts[0]]
    last = '.'.join(parts[2:])
    role = MODULES.get(last) or {
        'input_layernorm': 'attentionNorm', 'self_attn.q_norm': 'queryNorm', 'self_attn.k_norm': 'keyNorm',
        'post_attention_layernorm': 'postAttentionNorm' if four_norms else 'feedForwardNorm',
        'pre_feedforward_layernorm': 'feedForwardNorm', 'post_feedforward_layernorm': 'postFeedForwardNorm'}[last]
    return f'layer {parts[1]} {role}'


def make_batch(vocabulary):
    lengths = [5, 40, 23]
    tokens = [int(3 + z % (vocabulary - 3)) for z in mix(7, sum(lengths))]
    targets, coefficients, begin = [], [], 0
    for index, length in enumerate(lengths):
        for row in range(begin, begin + length - 1):
            if index == 1 and row < begin + 20:
                continue
            targets.append([row, tokens[row + 1]])
            coefficients.append([0.02, 0.05, -0.01][row % 3])
        begin += length
    return dict(tokens=tokens, lengths=lengths, targets=targets, coefficients=coefficients)


def log_probabilities(model, batch):
    begin, rows = 0, []
    for length in batch['lengths']:
        logits = model(torch.tensor([batch['tokens'][begin:begin + length]]), use_cache=False).logits[0]
        rows.append(torch.log_softmax(logits.float(), -1))
        begin += length
    rows = torch.cat(rows)
    return torch.stack([rows[row, token] for row, token in batch['targets']])


def loss_of(model, batch):
    return -(torch.tensor(batch['coefficients']) * log_probabilities(model, batch)).sum()


def adapter_golden(base, batch, four_norms, **settings):
    config = peft.LoraConfig(r=4, lora_alpha=6, lora_dropout=0, target_modules=[m.split('.')[-1] for m in MODULES], **settings)
    model = peft.get_peft_model(copy.deepcopy(base), config).eval()
    named = dict(model.named_parameters())
    for key, value in named.items():
        if 'lora_' not in key:
            continue
        module = key.split('base_model.model.')[1].split('.lora_')[0]
        layer, role = int(module.split('.')[2]), ROLES.index(MODULES['.'.join(module.split('.')[3:])])
        part = 0 if 'lora_A' in key else 1 if 'lora_B' in key else 2
        scale = noise(100000 * part + 100 * layer + role, value.shape[0], value.numel() // value.shape[0])
        with torch.no_grad():
            value.copy_((value * (1 + 0.1 * scale.reshape(value.shape))) if part == 2 else 0.2 * scale)
    # PEFT sets magnitudes when the adapter is made, from B = 0: the lengths of the rows of W.
    scores = log_probabilities(model, batch)
    (-(torch.tensor(batch['coefficients']) * scores).sum()).backward()
    gradients = {}
    for key, value in named.items():
        if 'lora_' in key:
            name = name_of(key.split('base_model.model.')[1].split('.lora_')[0], four_norms)
            part = 'a' if 'lora_A' in key else 'b' if 'lora_B' in key else 'magnitude'
            gradients[f'{name} {part}'] = told(value.grad)
    return dict(logProbabilities=scores.tolist(), gradients=gradients)


def curve(model, batch, four_norms):
    batch = dict(batch, coefficients=[1 / len(batch['targets'])] * len(batch['targets']))
    named = [(name_of(key, four_norms), value) for key, value in model.named_parameters()]
    norms = [value for name, value in named if name.endswith('Norm')]
    rest = [value for name, value in named if not name.endswith('Norm')]
    optimizer = torch.optim.AdamW(
        [dict(params=rest, weight_decay=0.1), dict(params=norms, weight_decay=0.0)], lr=1e-3, betas=(0.9, 0.95), eps=1e-8)
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        loss = loss_of(model, batch)
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
    return losses


def main(folder, families):
    for family in families or ['gemma1', 'gemma2', 'gemma3', 'llama', 'mistral']:
        path = f'{folder}/{family}/hf'
        model = transformers.AutoModelForCausalLM.from_pretrained(
            path, dtype=torch.float32, attn_implementation='eager').eval()
        four_norms = family in ('gemma2', 'gemma3')
        batch = make_batch(model.config.vocab_size)
        scores = log_probabilities(model, batch)
        (-(torch.tensor(batch['coefficients']) * scores).sum()).backward()
        golden = dict(batch, logProbabilities=scores.tolist(), gradients={
            name_of(key, four_norms): told(value.grad) for key, value in model.named_parameters()})
        model.zero_grad()
        golden['adapters'] = {
            'lora': adapter_golden(model, batch, four_norms),
            'rslora': adapter_golden(model, batch, four_norms, use_rslora=True),
            'dora': adapter_golden(model, batch, four_norms, use_dora=True)}
        golden['curve'] = curve(model, batch, four_norms)

        def short(value):
            return float(f'{value:.8g}')
        text = json.dumps(json.loads(json.dumps(golden), parse_float=lambda t: short(float(t))), separators=(',', ':'))
        with open(f'{folder}/{family}/gradients.json', 'w', encoding='utf-8') as file:
            file.write(text + '\n')
        print(family, len(text), golden['curve'])


main(sys.argv[1], sys.argv[2:])
