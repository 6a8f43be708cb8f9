"""Rows of weights quantised by independent implementations, and the types that llama.cpp gives tensors.

    python3 tools/quantize_goldens.py rows LIBGGML Tests/Goldens/quantize
    python3 tools/quantize_goldens.py types Tests/Goldens/quantize/types.json
    python3 tools/quantize_goldens.py imatrix Tests/Goldens/quantize/imatrix.gguf
    python3 tools/quantize_goldens.py importance FIXTURE_HF Tests/Goldens/quantize/importance.json

rows: rows.f32 [24, 512], importance.f32 [512] and for each type TYPE.bin. The types of 32, F16 and BF16 come from
the gguf package, which states llama.cpp's rules in numpy; the K types, and every TYPE-importance.bin, from llama.cpp's own
search (LIBGGML is libggml-base.so of llama-cpp-python).
types: llama_model_quantize of llama-cpp-python on small random models.
imatrix: a file in llama.cpp's form (pull request 9400), written by the gguf package.
importance: forward hooks of transformers in f32 on every linear module."""
import ctypes, json, os, sys
import numpy as np

TYPES = dict(Q4_0=2, Q4_1=3, Q5_0=6, Q5_1=7, Q8_0=8, Q2_K=10, Q3_K=11, Q4_K=12, Q5_K=13, Q6_K=14)
COLUMNS = 512


def weights():
    g = np.random.default_rng(20261125)
    n = lambda *s: g.standard_normal(s)
    rows = [*(n(6, COLUMNS) * 0.02), *(g.standard_t(4, (4, COLUMNS)) * 0.02), *(g.standard_t(2.5, (2, COLUMNS)) * 0.02),
            *g.uniform(-1, 1, (2, COLUMNS)), n(COLUMNS) * 0.02 + 0.015, n(COLUMNS) * 0.02 - 0.03, g.uniform(0.5, 1, COLUMNS),
            np.zeros(COLUMNS), np.full(COLUMNS, -0.37), np.full(COLUMNS, 0.37), n(COLUMNS) * (g.random(COLUMNS) < 0.03),
            n(COLUMNS) * 1e-4, n(COLUMNS) * 300, n(COLUMNS) * 0.02 * np.exp(1.5 * n(COLUMNS // 32)).repeat(32)]
    return np.array(rows, np.float32) + np.float32(0), (n(COLUMNS) ** 2 * np.exp(n(COLUMNS))).astype(np.float32)


def rows(library, folder):
    import gguf
    ggml = ctypes.CDLL(library)
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    ggml.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p] + [ctypes.c_int64] * 3 + [ctypes.c_void_p]
    x, importance = weights()
    os.makedirs(folder, exist_ok=True)
    x.tofile(f'{folder}/rows.f32')
    importance.tofile(f'{folder}/importance.f32')

    def search(name, weight):
        block, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]]
        out = np.zeros((len(x), COLUMNS // block * size), np.uint8)
        ggml.ggml_quantize_chunk(
            TYPES[name], x.ctypes.data, out.ctypes.data, 0, len(x), COLUMNS, None if weight is None else weight.ctypes.data)
        return out
    for name in [*TYPES, 'F16', 'BF16']:
        kind = gguf.GGMLQuantizationType[name]
        out = search(name, None) if name.endswith('K') else gguf.quants.quantize(x, kind).view(np.uint8)
        out.tofile(f'{folder}/{name}.bin')
        if name in TYPES and name != 'Q8_0': search(name, importance).tofile(f'{folder}/{name}-importance.bin')


CASES = {
    'llama, 16 layers, 4 query heads a key-value head': dict(arch='llama', layers=16, width=256, ff=512, heads=4, kv=1),
    'gemma3, 18 layers, tied': dict(arch='gemma3', layers=18, width=256, ff=256, heads=2, kv=1),
    'gemma2, 26 layers, tied, 2 query heads a key-value head': dict(arch='gemma2', layers=26, width=256, ff=512, heads=4, kv=2),
    'llama, 9 layers, rows of 320': dict(arch='llama', layers=9, width=320, ff=512, heads=5, kv=5),
    'llama, 3 layers, rows of 48': dict(arch='llama', layers=3, width=48, ff=80, heads=3, kv=3),
}
FILE_TYPES = dict(Q4_0=2, Q4_1=3, Q8_0=7, Q5_0=8, Q5_1=9, Q2_K=10, Q3_K=12, Q4_K_S=14, Q4_K_M=15, Q5_K_S=16, Q5_K_M=17, Q6_K=18,
                  F16=1, BF16=32)


def small_model(path, c):
    import gguf
    g = np.random.default_rng(1)
    w = gguf.GGUFWriter(path, c['arch'])
    head = c['width'] // c['heads'] if c['arch'] == 'llama' else 64
    w.add_context_length(64); w.add_embedding_length(c['width']); w.add_block_count(c['layers'])
    w.add_feed_forward_length(c['ff']); w.add_head_count(c['heads']); w.add_head_count_kv(c['kv'])
    w.add_layer_norm_rms_eps(1e-6); w.add_key_length(head); w.add_value_length(head); w.add_rope_dimension_count(head)
    w.add_vocab_size(8); w.add_sliding_window(16)
    w.add_tokenizer_model('llama'); w.add_token_list([f't{i}' for i in range(8)]); w.add_token_scores([0.0] * 8)
    w.add_token_types([1] * 8)
    def add(name, *shape): w.add_tensor(name, g.standard_normal(shape).astype(np.float32))
    add('token_embd.weight', 8, c['width'])
    for i in range(c['layers']):
        add(f'blk.{i}.attn_norm.weight', c['width']); add(f'blk.{i}.ffn_norm.weight', c['width'])
        add(f'blk.{i}.attn_q.weight', c['heads'] * head, c['width']); add(f'blk.{i}.attn_k.weight', c['kv'] * head, c['width'])
        add(f'blk.{i}.attn_v.weight', c['kv'] * head, c['width']); add(f'blk.{i}.attn_output.weight', c['width'], c['heads'] * head)
        add(f'blk.{i}.ffn_gate.weight', c['ff'], c['width']); add(f'blk.{i}.ffn_up.weight', c['ff'], c['width'])
        add(f'blk.{i}.ffn_down.weight', c['width'], c['ff'])
        if c['arch'] != 'llama':
            add(f'blk.{i}.post_attention_norm.weight', c['width']); add(f'blk.{i}.post_ffw_norm.weight', c['width'])
        if c['arch'] == 'gemma3':
            add(f'blk.{i}.attn_q_norm.weight', head); add(f'blk.{i}.attn_k_norm.weight', head)
    add('output_norm.weight', c['width'])
    if c['arch'] == 'llama': add('output.weight', 8, c['width'])
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()


def types(output):
    import gguf, tempfile
    from llama_cpp import llama_cpp as c
    import llama_cpp
    result = dict(oracle=f'llama-cpp-python {llama_cpp.__version__}', cases=[])
    with tempfile.TemporaryDirectory() as folder:
        for name, case in CASES.items():
            small_model(f'{folder}/in.gguf', case)
            entry = dict(name=name, **case, tensors=None, types={})
            for preset, number in FILE_TYPES.items():
                p = c.llama_model_quantize_default_params()
                p.ftype, p.nthread = number, 1
                assert c.llama_model_quantize(f'{folder}/in.gguf'.encode(), f'{folder}/out.gguf'.encode(), ctypes.byref(p)) == 0
                tensors = {t.name: t for t in gguf.GGUFReader(f'{folder}/out.gguf').tensors if len(t.shape) == 2}
                if entry['tensors'] is None: entry['tensors'] = [[n, int(t.shape[0])] for n, t in tensors.items()]
                entry['types'][preset] = ' '.join(str(int(tensors[n].tensor_type)) for n, _ in entry['tensors'])
            result['cases'].append(entry)
    json.dump(result, open(output, 'w'), separators=(',', ':'))


def imatrix(output):
    import gguf
    w = gguf.GGUFWriter(output, '')
    w.kv_data[0].clear()
    w.add_type('imatrix')
    w.add_array('imatrix.datasets', ['calibration.txt'])
    w.add_uint32('imatrix.chunk_count', 1)
    w.add_uint32('imatrix.chunk_size', 512)
    for name, sums, count in [('blk.0.attn_k', [4, 0.5, 2.25], 8), ('blk.0.ffn_down', [1, 2, 3, 4, 5], 512)]:
        w.add_tensor(f'{name}.weight.in_sum2', np.array([sums], np.float32))
        w.add_tensor(f'{name}.weight.counts', np.array([[count]], np.float32))
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()


def importance(folder, output):
    import gguf, torch, transformers
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation='eager').eval()
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GEMMA3, model.config.num_hidden_layers)
    g = torch.Generator().manual_seed(7)
    chunks, length = 3, 40
    tokens = torch.randint(4, model.config.vocab_size, (chunks * length,), generator=g)
    sums = {}
    def keep(name):
        def hook(module, inputs):
            sums[name] = sums.get(name, 0) + inputs[0].double().square().sum(dim=(0, 1))
        return hook
    for key, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and 'lm_head' not in key:
            module.register_forward_pre_hook(keep(names.get_name(key)))
    with torch.no_grad():
        for chunk in range(chunks):
            part = tokens[chunk * length:(chunk + 1) * length].clone()
            part[0] = model.config.bos_token_id
            model(part[None], use_cache=False)
    json.dump(dict(
        oracle=f'transformers {transformers.__version__}, torch {torch.__version__}', tokens=tokens.tolist(), chunkLength=length,
        sums={name + '.weight': [float(f'{x:.6g}') for x in s.tolist()] for name, s in sums.items()}), open(output, 'w'), separators=(',', ':'))


if __name__ == '__main__':
    dict(rows=rows, types=types, imatrix=imatrix, importance=importance)[sys.argv[1]](*sys.argv[2:])
