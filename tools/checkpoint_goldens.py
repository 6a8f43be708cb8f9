"""Small model files written by the libraries that define their formats, and what is in them.

    python3 tools/checkpoint_goldens.py OUTPUT_FOLDER        (Tests/Goldens/checkpoints)

Oracles: gguf (GGUFWriter: metadata of every type, tensors of every type, a split file, a big-endian file) and transformers with
safetensors (save_pretrained of random models of every family). Beside each file or folder NAME is NAME.json: the metadata, and
of every tensor its type, shape and the CRC-32 of its bytes; of norms the multipliers that the model's own class applies."""
import json, os, sys, zlib
import numpy as np
import torch
import gguf
import transformers
from gguf import GGUFEndian, GGUFValueType as V, GGUFWriter, GGML_QUANT_SIZES, GGMLQuantizationType as T
from safetensors.torch import load_file

out = sys.argv[1]
os.makedirs(out, exist_ok=True)
rng = np.random.default_rng(20261125)
torch.manual_seed(20261125)


def save_json(name, value):
    with open(f'{out}/{name}.json', 'w', encoding='utf-8') as file:
        json.dump(value, file, ensure_ascii=False, indent=1, sort_keys=True)
        file.write('\n')


# --- GGUF

def architecture(writer):
    writer.add_block_count(2)
    writer.add_embedding_length(256)
    writer.add_feed_forward_length(512)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_context_length(2048)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_tokenizer_model('llama')
    writer.add_token_list(['<unk>', '<s>', '</s>', '▁hé', '🦙'])
    writer.add_token_scores([0.0, 0.0, 0.0, -1.5, -2.0])
    writer.add_token_types([2, 3, 3, 1, 1])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)


def tensors():
    kinds = [T.F32, T.F16, T.BF16, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0, T.Q2_K, T.Q3_K, T.Q4_K, T.Q5_K, T.Q6_K]
    names = ['token_embd.weight', 'output.weight'] + [
        f'blk.{layer}.{part}.weight' for layer in range(2)
        for part in ('attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down')]
    for i, name in enumerate(names):
        kind, rows = kinds[i % len(kinds)], 1 + i % 3
        weights, size = GGML_QUANT_SIZES[kind]
        yield name, rng.integers(0, 256, (rows, 256 // weights * size), dtype=np.uint8), kind, [rows, 256]
    for name in ['output_norm.weight'] + [f'blk.{layer}.{part}_norm.weight' for layer in range(2) for part in ('attn', 'ffn')]:
        yield name, rng.standard_normal(256).astype('<f4').view(np.uint8), T.F32, [256]


def add_tensors(writer):
    listed = []
    for name, data, kind, shape in tensors():
        if kind == T.F32:
            writer.add_tensor(name, data.view('<f4').reshape(shape))
        elif kind == T.F16:
            writer.add_tensor(name, data.view('<f2').reshape(shape))
        else:
            writer.add_tensor(name, data, raw_dtype=kind)
        listed.append({'name': name, 'type': kind.name, 'shape': shape, 'crc32': zlib.crc32(data.tobytes())})
    return listed


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


extra = [
    ('t.uint8', 200, V.UINT8, '200'), ('t.int8', -100, V.INT8, '-100'), ('t.uint16', 60000, V.UINT16, '60000'),
    ('t.int16', -30000, V.INT16, '-30000'), ('t.uint32', 4294967295, V.UINT32, '4294967295'),
    ('t.int32', -2147483648, V.INT32, '-2147483648'), ('t.float32', 0.5, V.FLOAT32, '0.5'), ('t.bool', False, V.BOOL, 'false'),
    ('t.string', 'naïve – 日本語 🦙 \u0000 end', V.STRING, 'naïve – 日本語 🦙 \u0000 end'), ('t.empty', '', V.STRING, ''),
    ('t.uint64', 18446744073709551615, V.UINT64, '18446744073709551615'),
    ('t.int64', -9223372036854775808, V.INT64, '-9223372036854775808'), ('t.float64', -0.0625, V.FLOAT64, '-0.0625'),
    ('schlüssel.鍵', 'key', V.STRING, 'key'),
]
arrays = [('t.ints', [1, -2, 3], '[3 × int32]'), ('t.floats', [0.5, 1.5], '[2 × float32]'), ('t.bools', [True, False, True], '[3 × bool]'),
          ('t.strings', ['a', '', '日本語'], '[3 × string]'), ('t.nested', [[1, 2], [3]], '[2 × array]'),
          ('t.deep', [[['x'], ['y', 'z']]], '[1 × array]')]


def gguf_file(name, **options):
    writer = GGUFWriter(f'{out}/{name}.gguf', 'llama', **options)
    architecture(writer)
    metadata = {}
    for key, value, kind, text in extra:
        writer.add_key_value(key, value, kind)
        metadata[key] = text
    for key, value, text in arrays:
        writer.add_array(key, value)
        metadata[key] = text
    listed = add_tensors(writer)
    finish(writer)
    return {'oracle': f'gguf {version}', 'metadata': metadata, 'tensors': listed}


from importlib.metadata import version as version_of
version = version_of('gguf')
save_json('many', gguf_file('many'))
split = gguf_file('split', split_max_tensors=8)
save_json('split', split)
big = GGUFWriter(f'{out}/big-endian.gguf', 'llama', endianess=GGUFEndian.BIG)
architecture(big)
finish(big)

# --- Hugging Face

common = dict(hidden_size=8, intermediate_size=12, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=6,
              vocab_size=16, max_position_embeddings=64, pad_token_id=0, bos_token_id=2)
vision = dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14)


def model(family):
    t = transformers
    if family == 'gemma': return t.GemmaForCausalLM(t.GemmaConfig(**common, eos_token_id=1))
    if family == 'gemma2': return t.Gemma2ForCausalLM(t.Gemma2Config(**common, eos_token_id=1, sliding_window=8))
    if family == 'gemma3_text':
        return t.Gemma3ForCausalLM(t.Gemma3TextConfig(**common, eos_token_id=[1, 5], sliding_window=8))
    if family == 'gemma3':
        text = t.Gemma3TextConfig(**{**common, 'vocab_size': 20}, eos_token_id=1, sliding_window=8)
        return t.Gemma3ForConditionalGeneration(t.Gemma3Config(
            text_config=text.to_dict(), vision_config=vision, mm_tokens_per_image=4, image_token_index=17, boi_token_index=18,
            eoi_token_index=19))
    if family == 'llama': return t.LlamaForCausalLM(t.LlamaConfig(**common, eos_token_id=1, tie_word_embeddings=True))
    return t.MistralForCausalLM(t.MistralConfig(**common, eos_token_id=1, sliding_window=8))


def multiplier(module):
    """What the norm multiplies by, measured: its output for an input whose mean square is one."""
    width = module.weight.shape[0]
    x = torch.ones(1, width, dtype=torch.float64)
    eps = getattr(module, 'eps', None) or getattr(module, 'variance_epsilon')
    return (module.double()(x) * (1 + eps) ** 0.5)[0].tolist()


def hugging_face(name, family, dtype, shard='1GB'):
    net = model(family)
    with torch.no_grad():
        for parameter in net.parameters(): parameter.copy_(torch.randn_like(parameter))
    net = net.to(dtype)
    folder = f'{out}/{name}'
    net.save_pretrained(folder, max_shard_size=shard)
    listed = []
    modules = dict(net.named_modules())
    for file in sorted(os.listdir(folder)):
        if not file.endswith('.safetensors'): continue
        for key, tensor in sorted(load_file(f'{folder}/{file}').items()):
            row = {'name': key, 'file': file, 'type': {torch.float32: 'F32', torch.float16: 'F16', torch.bfloat16: 'BF16'}[tensor.dtype],
                   'shape': list(tensor.shape), 'crc32': zlib.crc32(tensor.contiguous().view(torch.uint8).numpy().tobytes())}
            path = key.removesuffix('.weight')
            candidates = [path, path.replace('language_model.model.', 'model.language_model.')]
            module = next((modules[c] for c in candidates if c in modules), None)
            if 'norm' in key and 'vision' not in key and 'projector' not in key:
                row['multipliers'] = [float(f'{x:.9g}') for x in multiplier(module)]
            listed.append(row)
    save_json(name, {'oracle': f'transformers {transformers.__version__}, torch {torch.__version__}', 'tensors': listed})


hugging_face('gemma', 'gemma', torch.bfloat16)
hugging_face('gemma2', 'gemma2', torch.float16)
hugging_face('gemma3_text', 'gemma3_text', torch.bfloat16)
hugging_face('gemma3', 'gemma3', torch.float32)
hugging_face('llama', 'llama', torch.float32)
hugging_face('mistral-sharded', 'mistral', torch.float16, shard='2KB')
