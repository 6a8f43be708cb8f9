"""Distributions after sampling filters, computed with transformers' logits processors and warpers.

    python3 tools/sampler_goldens.py OUTPUT.json

Oracle: transformers (its classes, in the order that Facet documents: bias, repetition penalty, top-k, typical, top-p,
min-p, temperature) on torch in double precision. Presence and frequency penalties, which transformers lacks, are
the subtraction that OpenAI's API reference defines."""
import json, sys
import torch
import transformers
from transformers import (LogitsProcessorList, MinPLogitsWarper, RepetitionPenaltyLogitsProcessor, SequenceBiasLogitsProcessor,
                          TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper, TypicalLogitsWarper)

V = 300
g = torch.Generator().manual_seed(20261124)
rows = {
    'gaussian': torch.randn(V, generator=g) * 2.5,
    'flat': torch.randn(V, generator=g) * 0.2,
    'peaked': torch.randn(V, generator=g) * 1.5 + torch.where(torch.arange(V) % 61 == 7, 9.0, 0.0),
}
rows = {name: row.float() for name, row in rows.items()}

cases = [
    dict(temperature=1.0), dict(temperature=0.6), dict(temperature=1.7),
    dict(top_k=1), dict(top_k=5), dict(top_k=64), dict(top_k=300), dict(top_k=40, temperature=0.8),
    dict(top_p=0.1), dict(top_p=0.5), dict(top_p=0.95), dict(top_p=0.99, temperature=0.7),
    dict(min_p=0.02), dict(min_p=0.3, temperature=2.0),
    dict(typical_p=0.2), dict(typical_p=0.9),
    dict(top_k=64, top_p=0.95), dict(top_k=64, top_p=0.95, min_p=0.05, temperature=0.8),
    dict(top_k=50, typical_p=0.8, top_p=0.9, min_p=0.01, temperature=1.3),
    dict(repetition_penalty=1.3, history=[7, 7, 68, 3, 129, 250, 0]),
    dict(repetition_penalty=0.8, top_k=20, history=[7, 190, 299, 12]),
    dict(presence_penalty=1.5, frequency_penalty=0.5, history=[7, 7, 7, 68, 68, 1]),
    dict(repetition_penalty=1.2, frequency_penalty=-0.4, presence_penalty=0.3, top_p=0.9, history=[7, 8, 8, 9, 190]),
    dict(logit_bias={'7': -float('inf'), '11': 6.0, '68': -2.5}, top_k=30),
]


def distribution(row, case):
    history = case.get('history', [])
    ids = torch.tensor([history or [0]])
    scores = row.double()[None]
    first = LogitsProcessorList()
    if 'logit_bias' in case:
        first.append(SequenceBiasLogitsProcessor([[[int(t)], b] for t, b in case['logit_bias'].items()]))
    if 'repetition_penalty' in case:
        first.append(RepetitionPenaltyLogitsProcessor(case['repetition_penalty']))
    scores = first(ids, scores)
    for token in set(history):
        scores[0, token] -= case.get('presence_penalty', 0) + history.count(token) * case.get('frequency_penalty', 0)
    last = LogitsProcessorList()
    if case.get('top_k'): last.append(TopKLogitsWarper(case['top_k']))
    if case.get('typical_p', 1) < 1: last.append(TypicalLogitsWarper(case['typical_p']))
    if case.get('top_p', 1) < 1: last.append(TopPLogitsWarper(case['top_p']))
    if case.get('min_p', 0) > 0: last.append(MinPLogitsWarper(case['min_p']))
    if case.get('temperature', 1) != 1: last.append(TemperatureLogitsWarper(float(case['temperature'])))
    p = torch.softmax(last(ids, scores)[0].double(), -1)
    return {str(i): float(f'{p[i]:.9g}') for i in range(V) if p[i] > 0}


out = {'oracle': f'transformers {transformers.__version__}, torch {torch.__version__}',
       'rows': {name: [float(f'{x:.9g}') for x in row.tolist()] for name, row in rows.items()}, 'cases': []}
for name, row in rows.items():
    for case in cases:
        sampling = {k: (v if k != 'logit_bias' else {t: max(b, -1e30) for t, b in v.items()}) for k, v in case.items() if k != 'history'}
        for key, neutral in (('top_k', 0), ('top_p', 1.0)): sampling.setdefault(key, neutral)
        out['cases'].append({'row': name, 'sampling': sampling, 'history': case.get('history', []), 'probabilities': distribution(row, case)})
json.dump(out, open(sys.argv[1], 'w'), separators=(',', ':'))
