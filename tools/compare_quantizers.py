"""Our quantised files beside llama.cpp's own of the same original: sizes, types, errors, perplexity. Slow.

    python3 tools/compare_quantizers.py ORIGINAL.gguf TEXT PRESET=OURS.gguf [...] [--chunks 40] [--scratch FOLDER]

ORIGINAL is in F32 (facet quantize IN ORIGINAL.gguf --type F32), OURS what Facet makes of it. llama.cpp (llama-cpp-python)
quantises ORIGINAL itself, loads both files and computes both perplexities (512 tokens a chunk, the second half counts). For
each type of blocks that differs: the ratio of root mean square errors, ours to theirs; below one is better."""
import argparse, ctypes, os
import gguf
import numpy as np
from llama_cpp import llama_cpp as c

FILE_TYPES = dict(Q4_0=2, Q4_1=3, Q8_0=7, Q5_0=8, Q5_1=9, Q2_K=10, Q3_K=12, Q4_K_S=14, Q4_K_M=15, Q5_K_S=16, Q5_K_M=17, Q6_K=18,
                  F16=1, BF16=32)


def quantize(source, target, preset):
    p = c.llama_model_quantize_default_params()
    p.ftype, p.nthread, p.allow_requantize = FILE_TYPES[preset], os.cpu_count(), True
    assert c.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(p)) == 0


def compare(original, ours, theirs):
    exact, a, b = [{t.name: t for t in gguf.GGUFReader(path).tensors} for path in (original, ours, theirs)]
    assert set(a) == set(b), set(a) ^ set(b)
    other = [(n, a[n].tensor_type.name, b[n].tensor_type.name) for n in a if a[n].tensor_type != b[n].tensor_type]
    same, errors = 0, {}
    for name, tensor in a.items():
        if np.array_equal(tensor.data, b[name].data):
            same += 1
        elif tensor.tensor_type == b[name].tensor_type:
            x = exact[name].data.astype(np.float64)
            e = [((gguf.quants.dequantize(t.data, t.tensor_type) - x) ** 2).sum() for t in (tensor, b[name])]
            errors[tensor.tensor_type.name] = errors.get(tensor.tensor_type.name, np.zeros(2)) + e
    ratios = {kind: round(float(np.sqrt(e[0] / e[1])), 4) for kind, e in errors.items()}
    return f'{same} of {len(a)} tensors equal, {len(other)} of another type {other[:3]}, error ratios {ratios}'


def perplexity(path, text, chunks, length=512):
    model = c.llama_model_load_from_file(path.encode(), c.llama_model_default_params())
    assert model, f'llama.cpp refuses {path}'
    vocabulary = c.llama_model_get_vocab(model)
    size = c.llama_vocab_n_tokens(vocabulary)
    data = text.encode()
    buffer = (c.llama_token * (len(data) + 8))()
    tokens = buffer[:c.llama_tokenize(vocabulary, data, len(data), buffer, len(buffer), True, False)]
    p = c.llama_context_default_params()
    p.n_ctx = p.n_batch = p.n_ubatch = length
    context = c.llama_init_from_model(model, p)
    batch = c.llama_batch_init(length, 0, 1)
    loss, count = 0.0, 0
    for chunk in range(min(chunks, len(tokens) // length)):
        part = [c.llama_vocab_bos(vocabulary)] + tokens[chunk * length + 1:(chunk + 1) * length]
        c.llama_memory_clear(c.llama_get_memory(context), True)
        batch.n_tokens = length
        for i, token in enumerate(part):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0] = token, i, 1, 0
            batch.logits[i] = length // 2 <= i < length - 1
        assert c.llama_decode(context, batch) == 0
        for i in range(length // 2, length - 1):
            row = np.ctypeslib.as_array(c.llama_get_logits_ith(context, i), shape=(size,))
            most = row.max()
            loss += float(np.log(np.exp(row - most).sum(dtype=np.float64)) + most - row[part[i + 1]])
            count += 1
    c.llama_batch_free(batch); c.llama_free(context); c.llama_model_free(model)
    return float(np.exp(loss / count))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('original'); parser.add_argument('text'); parser.add_argument('ours', nargs='+')
    parser.add_argument('--chunks', type=int, default=40); parser.add_argument('--scratch', default='.')
    a = parser.parse_args()
    text = open(a.text, encoding='utf-8').read()
    c.llama_backend_init()
    for pair in a.ours:
        preset, ours = pair.split('=', 1)
        theirs = os.path.join(a.scratch, f'llama.cpp-{preset}.gguf')
        quantize(a.original, theirs, preset)
        print(preset, os.path.getsize(ours), os.path.getsize(theirs), compare(a.original, ours, theirs), flush=True)
        if a.chunks: print(preset, 'perplexity', *(perplexity(path, text, a.chunks) for path in (ours, theirs)), flush=True)
        os.remove(theirs)


main()
