"""How llama.cpp's ids compare with the goldens of a vocabulary: a second opinion, printed and not kept.

    python3 tools/tokenizer_second_opinion.py MODEL.gguf Tests/Goldens/tokenizer NAME

Needs llama-cpp-python. NAME is that of a `.hashes` file, such as gemma3 or smollm2."""
import struct, sys
import llama_cpp
from tokenizer_corpus import escaped, read


def fnv(ids):
    state = 0xCBF29CE484222325
    for byte in struct.pack(f'<{len(ids)}i', *ids):
        state = (state ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return state


model, goldens, name = sys.argv[1:4]
llama = llama_cpp.Llama(model, vocab_only=True, verbose=False)
lines = read(goldens)
lines += ['\n'.join(lines[i:i + 100]) for i in range(0, len(lines), 100)]
with open(f'{goldens}/{name}.hashes', 'rb') as f:
    data = f.read()
hashes = struct.unpack(f'<{len(data) // 8}Q', data)
assert len(hashes) == len(lines)
wrong = [s for s, h in zip(lines, hashes) if fnv(llama.tokenize(s.encode(), add_bos=False, special=False)) != h]
marks = [s for s in wrong if '▁' in s or '_of_image>' in s]
print(f'llama-cpp-python {llama_cpp.__version__}, {name}: {len(wrong)} of {len(lines)} texts differ; {len(wrong) - len(marks)} without a literal ▁ or an image mark')
for s in [s for s in wrong if s not in marks][:40]:
    print(' ', escaped(s)[:70], llama.tokenize(s.encode(), add_bos=False, special=False)[:12])
