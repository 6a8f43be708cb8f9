"""Random blocks of every quantised type with their expansion to f32, by the gguf package.

    python3 tools/block_goldens.py OUTPUT_FOLDER        (Tests/Goldens/blocks)

Oracle: gguf.quants.dequantize (numpy). All bits of a block are random but for its half-precision scales, which are finite:
ordinary, negative, denormal, zero, negative zero, the largest, and random bits. One file a type: the number of weights (u32,
little-endian), the bytes of the blocks, the weights (f32, little-endian)."""
import os, sys
import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType as T
from gguf.quants import dequantize

out = sys.argv[1]
os.makedirs(out, exist_ok=True)
rng = np.random.default_rng(20261125)

# Where a block holds half-precision numbers.
scales = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q2_K: [80, 82], T.Q3_K: [108],
          T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208]}
special = [0x2c17, 0xacff, 0x0001, 0x83ff, 0x0000, 0x8000, 0x7bff, 0xfbff, 0x0400]


def finite_half():
    while True:
        bits = int(rng.integers(0, 65536))
        if bits & 0x7c00 != 0x7c00: return bits


def save(kind, count, data, values):
    values = np.ascontiguousarray(values, dtype='<f4').reshape(-1)
    assert len(values) == count and np.isfinite(values).all()
    with open(f'{out}/{kind.name.lower()}.bin', 'wb') as file:
        file.write(np.array([count], dtype='<u4').tobytes() + data.tobytes() + values.tobytes())


for kind, places in scales.items():
    weights, size = GGML_QUANT_SIZES[kind]
    blocks = rng.integers(0, 256, (16, size), dtype=np.uint8)
    for i, block in enumerate(blocks):
        for j, at in enumerate(places):
            # The second scale of a block runs through the list from another place.
            bits = special[(i + 4 * j) % len(special)] if i < len(special) else finite_half()
            block[at:at + 2] = [bits & 255, bits >> 8]
    save(kind, 16 * weights, blocks, dequantize(blocks, kind))

for kind, mask in ((T.F16, 0x7c00), (T.BF16, 0x7f80)):
    bits = rng.integers(0, 65536, 1024, dtype=np.uint16)
    bits[:8] = [0, 0x8000, 1, 0x8001, 0x03ff, 0x0080, mask - 1, 0x8000 | (mask - 1)]
    bits = np.where(bits & mask == mask, bits ^ 0x0800, bits).astype('<u2')
    data = bits.view(np.uint8)
    save(kind, 1024, data, dequantize(data if kind == T.BF16 else bits.view('<f2'), kind))
