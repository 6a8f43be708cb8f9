"""Steps of PyTorch's optimizers and rates of transformers' schedules.

    python3 tools/optimizer_goldens.py Tests/Goldens/optimizers

Writes steps.json: for AdamW, SGD with momentum and Adafactor the numbers of three tensors after steps 1, 2 and 10, with weight
decay on the two matrices, from values and gradients of a hash, clipped by clip_grad_norm_, and the norms before clipping.
Writes schedules.json: what get_scheduler gives for each step."""
import json, os, sys, warnings
import numpy as np
import torch
import transformers

torch.set_num_threads(1)
SHAPES = [('a', 5, 33), ('b', 20, 5), ('magnitude', 1, 20)]
RATE, DECAY, NORM = 0.02, 0.1, 3.0
KINDS = {
    'adamw': lambda groups: torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.95), eps=1e-8),
    'sgd': lambda groups: torch.optim.SGD(groups, lr=RATE, momentum=0.9),
    'adafactor': lambda groups: torch.optim.Adafactor(groups, lr=RATE),
}


def noise(seed, rows, columns):
    """Numbers between -1 and 1: SplitMix64's mix of seed + index * golden ratio, for each index."""
    with np.errstate(over='ignore'):
        z = np.uint64(seed) + np.arange(rows * columns, dtype=np.uint64) * np.uint64(0x9e3779b97f4a7c15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xbf58476d1ce4e5b9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94d049bb133111eb)
        z = z ^ (z >> np.uint64(31))
    values = (z >> np.uint64(40)).astype(np.float64) * 2.0 ** -23 - 1
    return torch.tensor(values.astype(np.float32).reshape(rows, columns))


def steps(make):
    tensors = [torch.nn.Parameter(noise(index, rows, columns) if rows > 1 else noise(index, rows, columns)[0])
               for index, (_, rows, columns) in enumerate(SHAPES)]
    optimizer = make([dict(params=tensors[:2], weight_decay=DECAY), dict(params=tensors[2:], weight_decay=0.0)])
    norms, values = [], {}
    for number in range(1, 11):
        for index, tensor in enumerate(tensors):
            size = 0.02 if number == 4 else 1  # one step whose gradients are not clipped
            tensor.grad = (noise(100 * number + index, 1, tensor.numel()) * size).reshape(tensor.shape)
        norms.append(float(torch.nn.utils.clip_grad_norm_(tensors, NORM)))
        optimizer.step()
        if number in (1, 2, 10):
            values[str(number)] = {name: tensor.detach().reshape(-1).tolist() for (name, _, _), tensor in zip(SHAPES, tensors)}
    return dict(norms=norms, values=values)


def schedules():
    warnings.simplefilter('ignore')
    found = []
    for kind, name in [('constant', 'constant_with_warmup'), ('linear', 'linear'), ('cosine', 'cosine')]:
        for warmup, total in [(0, 20), (3, 20), (5, 5), (1, 100)]:
            optimizer = torch.optim.SGD([torch.zeros(1)], lr=2e-4)
            scheduler = transformers.get_scheduler(name, optimizer, warmup, total)
            rates = []
            for _ in range(total + 2):
                rates.append(scheduler.get_last_lr()[0])
                scheduler.step()
            found.append(dict(kind=kind, warmup=warmup, total=total, rates=rates))
    return found


def main(folder):
    os.makedirs(folder, exist_ok=True)
    for name, value in [('steps', {kind: steps(make) for kind, make in KINDS.items()}), ('schedules', schedules())]:
        with open(f'{folder}/{name}.json', 'w') as file:
            json.dump(value, file)
            file.write('\n')


if __name__ == '__main__':
    main(sys.argv[1])
