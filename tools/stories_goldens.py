"""What transformers tells with stories260K, the smallest of llama2.c's models.

    python3 tools/stories_goldens.py ../shared/data/stories260k Tests/Goldens/stories260k/greedy.json

Oracle: transformers' LlamaForCausalLM in f32, with the weights of the checkpoint in the layout of Hugging Face. The text is
put together from the pieces of tok512.bin."""
import json, os, struct, sys
import numpy as np
import torch
import transformers

GREEDY = 200


def read_model(path):
    data = open(path, 'rb').read()
    width, feed_forward, layers, heads, kv_heads, vocabulary, context = struct.unpack('<7i', data[:28])
    numbers = torch.from_numpy(np.frombuffer(data, '<f4', offset=28).copy())
    place = 0
    def take(*shape):
        nonlocal place
        count = int(np.prod(shape))
        place += count
        return numbers[place - count:place].reshape(shape)
    def halves(weight, heads):
        """Pairs that lie side by side, moved half a head apart."""
        rows, columns = weight.shape
        return weight.reshape(heads, rows // heads // 2, 2, columns).transpose(1, 2).reshape(rows, columns)
    head_width, kv_width = width // heads, width // heads * kv_heads
    state = {'model.embed_tokens.weight': take(vocabulary, width)}
    for key, shape in (
            ('input_layernorm', (width,)), ('self_attn.q_proj', (width, width)), ('self_attn.k_proj', (kv_width, width)),
            ('self_attn.v_proj', (kv_width, width)), ('self_attn.o_proj', (width, width)), ('post_attention_layernorm', (width,)),
            ('mlp.gate_proj', (feed_forward, width)), ('mlp.down_proj', (width, feed_forward)), ('mlp.up_proj', (feed_forward, width))):
        for layer, weight in enumerate(take(layers, *shape)):
            if 'q_proj' in key: weight = halves(weight, heads)
            if 'k_proj' in key: weight = halves(weight, kv_heads)
            state[f'model.layers.{layer}.{key}.weight'] = weight
    state['model.norm.weight'] = take(width)
    state['lm_head.weight'] = state['model.embed_tokens.weight']
    # Tables of cosines and sines follow, which nobody reads any more.
    assert vocabulary > 0 and place + context * head_width == len(numbers), 'the head is not the embedding'
    config = transformers.LlamaConfig(
        vocab_size=vocabulary, hidden_size=width, intermediate_size=feed_forward, num_hidden_layers=layers, num_attention_heads=heads,
        num_key_value_heads=kv_heads, max_position_embeddings=context, rms_norm_eps=1e-5, tie_word_embeddings=True, attn_implementation='eager')
    model = transformers.LlamaForCausalLM(config).float().eval()
    model.load_state_dict(state)
    return model


def read_pieces(path, count):
    data, place, pieces = open(path, 'rb').read(), 4, []
    for _ in range(count):
        _, length = struct.unpack_from('<fi', data, place)
        pieces.append(data[place + 8:place + 8 + length])
        place += 8 + length
    return pieces


def main(folder, output):
    model = read_model(f'{folder}/stories260K.bin')
    pieces = read_pieces(f'{folder}/tok512.bin', model.config.vocab_size)
    tokens, least = [1], float('inf')
    with torch.no_grad():
        for _ in range(GREEDY):
            best = model(torch.tensor([tokens]), use_cache=False).logits[0, -1].topk(2)
            least = min(least, float(best.values[0] - best.values[1]))
            tokens.append(int(best.indices[0]))
    greedy = tokens[1:]
    text = b''.join(bytes([int(p[3:5], 16)]) if len(p) == 6 and p.startswith(b'<0x') else p for p in (pieces[t] for t in greedy))
    os.makedirs(os.path.dirname(output), exist_ok=True)
    out = dict(oracle=f'transformers {transformers.__version__}, torch {torch.__version__}', tokens=[1], greedy=greedy,
               gap=float(f'{least:.3g}'), text=text.decode().removeprefix(' '))
    json.dump(out, open(output, 'w'), ensure_ascii=False, separators=(',', ':'))
    print(out['gap'], 1 in greedy, 2 in greedy, repr(out['text']), file=sys.stderr)


main(*sys.argv[1:])
