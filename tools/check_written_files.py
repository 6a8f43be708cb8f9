"""Reads files that Facet's writers have written with the gguf and safetensors packages and prints what it finds.

    FACET_WRITTEN_FILES=FOLDER swift test -c release --disable-testable-imports --filter WriterTests
    python3 tools/check_written_files.py FOLDER

Fails when a reader refuses a file or a number differs from what the test wrote."""
import sys
import numpy as np
from gguf import GGUFReader
from safetensors import safe_open

folder = sys.argv[1]
reader = GGUFReader(f'{folder}/facet.gguf')
expected = {
    'general.architecture': 'llama', 'llama.block_count': 2, 'tokenizer.ggml.tokens': ['<unk>', '', '▁é🦙'],
    'tokenizer.ggml.token_type': [2, 1, 1], 't.u64': 2**64 - 1, 't.i32': -2**31, 't.f32': -0.5, 't.bool': True,
    't.bools': [True, False], 't.none': [], 't.twice': 'the last value counts',
}
for key, value in expected.items():
    found = reader.fields[key].contents()
    assert found == value, (key, found, value)
assert len(reader.tensors) == 14 and len({t.tensor_type for t in reader.tensors}) == 13


def random(seed):
    """xoshiro256** seeded by SplitMix64, as the test draws its bytes."""
    mask, s = 2**64 - 1, []
    for _ in range(4):
        seed = (seed + 0x9e3779b97f4a7c15) & mask
        z = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9 & mask
        z = (z ^ z >> 27) * 0x94d049bb133111eb & mask
        s.append(z ^ z >> 31)
    rotated = lambda x, k: (x << k | x >> 64 - k) & mask
    while True:
        yield rotated(s[1] * 5 & mask, 7) * 9 & 255
        t = s[1] << 17 & mask
        s[2] ^= s[0]; s[3] ^= s[1]; s[1] ^= s[2]; s[0] ^= s[3]; s[2] ^= t; s[3] = rotated(s[3], 45)


def check(name, data, seed):
    draw = random(seed)
    assert data == bytes(next(draw) for _ in data), name


for index, tensor in enumerate(reader.tensors[:13]):
    check(tensor.name, np.ascontiguousarray(tensor.data).tobytes(), index)
    assert list(tensor.shape) == [256, 1 + index % 3], (tensor.name, tensor.shape)
assert reader.tensors[13].data.tolist() == [1, 2, 3]
with safe_open(f'{folder}/facet.safetensors', 'pt') as file:
    assert file.metadata() == {'format': 'pt', 'note': 'ü "🦙" \\ \n'}, file.metadata()
    assert sorted(file.keys()) == ['empty', 'naïve.BF16', 'naïve.F16', 'naïve.F32']
    for index, kind in enumerate(('BF16', 'F32', 'F16')):
        tensor = file.get_tensor(f'naïve.{kind}')
        assert list(tensor.shape) == [2, 3, 5]
        import torch
        check(kind, tensor.contiguous().view(torch.uint8).numpy().tobytes(), index)
    assert list(file.get_tensor('empty').shape) == [0, 4]
print(f'{len(reader.fields)} fields, {len(reader.tensors)} tensors of GGUF and 4 of safetensors are as written')
