"""What transformers goes on with after ten prompts, on the weights of the Gemma 3 270M that people download.

    python3 tools/gemma_270m_goldens.py gemma-3-270m-q4_k_m.gguf Tests/Goldens/gemma3-270m/greedy.json

Oracle: transformers' Gemma3ForCausalLM in f32, eager attention, on every tensor expanded to f32 by the gguf package. The
ids of the prompts are sentencepiece's, on a model made of the vocabulary in the file."""
import json, math, os, sys
import gguf
import numpy as np
import torch
import transformers
import sentencepiece as spm
from sentencepiece import sentencepiece_model_pb2 as model_pb2

GREEDY = 64
PROMPTS = [
    'The capital of France is',
    'It was a bright cold day in April, and the clocks were',
    'def fibonacci(n):\n    """Return the n-th Fibonacci number."""\n    if n < 2:\n        return n\n    return',
    '{"name": "Ada Lovelace", "born": 1815, "languages": ["English", "French"],\n "works":',
    'Die Hauptstadt von Österreich ist Wien. Die Stadt liegt an der',
    '日本の首都は東京です。日本で一番高い山は',
    'Москва — столица России. Население города составляет',
    '1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233,',
    'Weather today: ☀️🌡️ 31°C. Weather tomorrow: 🌧️👩‍🚀\n\n\nSummary:   \t  Tomorrow it will',
    'Question:   What is heavier,    a kilo of feathers or a kilo of lead?\n\n\n\nAnswer:',
]


def tokenizer_of(reader):
    """A SentencePiece model with the vocabulary of the file."""
    field = lambda key: reader.fields[key].contents()
    proto = model_pb2.ModelProto()
    for text, score, kind in zip(field('tokenizer.ggml.tokens'), field('tokenizer.ggml.scores'), field('tokenizer.ggml.token_type')):
        # Converters write the spaces of user-defined pieces out; sentencepiece has them as ▁.
        proto.pieces.add(piece=text.replace(' ', '▁') if kind == 4 else text, score=score, type=kind)
    proto.trainer_spec.model_type = 2
    proto.trainer_spec.byte_fallback = True
    proto.trainer_spec.vocab_size = len(proto.pieces)
    for name in ('unk', 'bos', 'eos', 'pad'):
        key = {'unk': 'unknown', 'pad': 'padding'}.get(name, name)
        token = int(field(f'tokenizer.ggml.{key}_token_id'))
        setattr(proto.trainer_spec, f'{name}_id', token)
        setattr(proto.trainer_spec, f'{name}_piece', proto.pieces[token].piece)
    proto.normalizer_spec.name = 'identity'
    proto.normalizer_spec.add_dummy_prefix = False
    proto.normalizer_spec.remove_extra_whitespaces = False
    return spm.SentencePieceProcessor(model_proto=proto.SerializeToString()), proto.trainer_spec.bos_id


def model_of(reader):
    field = lambda key: reader.fields[f'gemma3.{key}'].contents()
    layers = int(field('block_count'))
    config = transformers.Gemma3TextConfig(
        vocab_size=len(reader.fields['tokenizer.ggml.tokens'].data), hidden_size=int(field('embedding_length')),
        intermediate_size=int(field('feed_forward_length')), num_hidden_layers=layers, num_attention_heads=int(field('attention.head_count')),
        num_key_value_heads=int(field('attention.head_count_kv')), head_dim=int(field('attention.key_length')), query_pre_attn_scalar=256,
        max_position_embeddings=int(field('context_length')), rms_norm_eps=float(field('attention.layer_norm_rms_epsilon')),
        sliding_window=int(field('attention.sliding_window')), attn_implementation='eager', rope_parameters={
            'full_attention': dict(rope_type='default', rope_theta=float(field('rope.freq_base'))),
            'sliding_attention': dict(rope_type='default', rope_theta=1e4)})
    model = transformers.Gemma3ForCausalLM(config).float().eval()
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GEMMA3, layers)
    stored = {tensor.name: tensor for tensor in reader.tensors}
    with torch.no_grad():
        for key, weight in model.named_parameters():
            tensor = stored.pop(names.get_name(key, try_suffixes=('.weight',)))
            data = torch.from_numpy(gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)).reshape(weight.shape)
            if 'norm' in key:  # the file holds 1 + w
                weight.copy_(data - 1)
                assert torch.equal(1 + weight, data), key
            else: weight.copy_(data)
    assert not stored, f'tensors left over: {sorted(stored)}'
    return model


def greedy(model, tokens):
    """64 greedy tokens and the least lead of a best logit on the way."""
    out, least, cache, new = [], math.inf, None, tokens
    with torch.no_grad():
        for _ in range(GREEDY):
            result = model(torch.tensor([new]), past_key_values=cache, use_cache=True)
            cache = result.past_key_values
            best = result.logits[0, -1].topk(2)
            least = min(least, float(best.values[0] - best.values[1]))
            new = [int(best.indices[0])]
            out += new
    return out, least


def main(path, output):
    reader = gguf.GGUFReader(path)
    tokenizer, bos = tokenizer_of(reader)
    model = model_of(reader)
    prompts = []
    for text in PROMPTS:
        tokens = [bos] + tokenizer.encode(text)
        continuation, gap = greedy(model, tokens)
        prompts.append(dict(text=text, tokens=tokens, greedy=continuation, gap=float(f'{gap:.3g}')))
        print(len(tokens), f'{gap:.3g}', repr(text[:30]), repr(tokenizer.decode(continuation)[:100]), file=sys.stderr, flush=True)
    os.makedirs(os.path.dirname(output), exist_ok=True)
    with open(output, 'w') as file:
        json.dump(dict(oracle=f'transformers {transformers.__version__}, torch {torch.__version__}', prompts=prompts), file, ensure_ascii=False, separators=(',', ':'))


if __name__ == "__main__":
    main(*sys.argv[1:])
