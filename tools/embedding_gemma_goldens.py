"""A small random model of EmbeddingGemma's architecture, and what transformers makes of texts with it.

    python3 tools/embedding_gemma_goldens.py Tests/Goldens/embeddings/gemma

Writes hf/ (a directory as sentence-transformers lays it out: the encoder saved by transformers, and two dense layers),
gemma-embedding.gguf (with the gguf package, names as llama.cpp's converter has them) and goldens.json. Oracle: transformers in f32, eager
attention, each text alone: the final hidden states, their mean, the two dense layers in torch, the vector of length 1."""
import copy, json, os, shutil, sys
import gguf
import numpy as np
import torch
import transformers
from safetensors.torch import save_file
import fixture_tokenizer

torch.set_num_threads(1)
WIDTH, EXPANDED = 24, 40
BOS, EOS = 2, 1


def storable(values):
    """The nearest numbers that BF16 and F16 both hold."""
    return values.to(torch.bfloat16).to(torch.float16).float()


def make_model(vocabulary, random):
    config = transformers.Gemma3TextConfig(
        vocab_size=vocabulary, hidden_size=WIDTH, intermediate_size=32, num_hidden_layers=3, num_attention_heads=3, num_key_value_heads=1,
        head_dim=8, max_position_embeddings=256, query_pre_attn_scalar=8, sliding_window=16, use_bidirectional_attention=True,
        layer_types=['sliding_attention', 'full_attention', 'sliding_attention'], attn_implementation='eager',
        pad_token_id=0, eos_token_id=EOS, bos_token_id=BOS)
    model = transformers.Gemma3TextModel(config).float().eval()
    with torch.no_grad():
        for key, weight in model.named_parameters():
            noise = torch.randn(weight.shape, generator=random)
            noise = 0.3 * noise if 'norm' in key else noise * (1 if 'embed' in key else 2) / weight.shape[1] ** 0.5
            weight.copy_(storable(noise))
    return model


def write_directory(path, model, dense, tokenizer):
    shutil.rmtree(path, ignore_errors=True)
    # A copy: the conversion would round the buffers of the rotary frequencies and the embedding scale as well.
    copy.deepcopy(model).to(torch.bfloat16).save_pretrained(path)
    open(f'{path}/tokenizer.model', 'wb').write(tokenizer)
    json.dump(dict(add_bos_token=True, add_eos_token=True), open(f'{path}/tokenizer_config.json', 'w'))
    modules = [('', 'models.Transformer'), ('1_Pooling', 'models.Pooling'), ('2_Dense', 'models.Dense'), ('3_Dense', 'models.Dense'),
               ('4_Normalize', 'models.Normalize')]
    json.dump([dict(idx=i, name=str(i), path=p, type='sentence_transformers.' + t) for i, (p, t) in enumerate(modules)],
              open(f'{path}/modules.json', 'w'), indent=1)
    os.makedirs(f'{path}/1_Pooling')
    json.dump(dict(word_embedding_dimension=WIDTH, pooling_mode_mean_tokens=True, include_prompt=True),
              open(f'{path}/1_Pooling/config.json', 'w'), indent=1)
    for name, weight in zip(('2_Dense', '3_Dense'), dense):
        os.makedirs(f'{path}/{name}')
        json.dump(dict(in_features=weight.shape[1], out_features=weight.shape[0], bias=False, activation_function='torch.nn.modules.linear.Identity'),
                  open(f'{path}/{name}/config.json', 'w'), indent=1)
        save_file({'linear.weight': weight.to(torch.bfloat16).contiguous()}, f'{path}/{name}/model.safetensors')


def write_gguf(path, model, dense, table):
    c = model.config
    writer = gguf.GGUFWriter(path, 'gemma-embedding')
    writer.add_name('Fixture embedding')
    writer.add_context_length(c.max_position_embeddings)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(c.num_hidden_layers)
    writer.add_feed_forward_length(c.intermediate_size)
    writer.add_head_count(c.num_attention_heads)
    writer.add_head_count_kv(c.num_key_value_heads)
    writer.add_layer_norm_rms_eps(c.rms_norm_eps)
    writer.add_key_length(c.head_dim)
    writer.add_value_length(c.head_dim)
    writer.add_rope_freq_base(1e6)
    writer.add_sliding_window((c.sliding_window - 1) * 2)
    writer.add_sliding_window_pattern([t == 'sliding_attention' for t in c.layer_types])
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_dense_features_dims('dense_2', *reversed(dense[0].shape))
    writer.add_dense_features_dims('dense_3', *reversed(dense[1].shape))
    writer.add_tokenizer_model('llama')
    writer.add_token_list([text for text, _, _ in table])
    writer.add_token_scores([score for _, score, _ in table])
    writer.add_token_types([kind for _, _, kind in table])
    writer.add_bos_token_id(BOS)
    writer.add_eos_token_id(EOS)
    writer.add_unk_token_id(3)
    writer.add_pad_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(True)
    writer.add_add_space_prefix(False)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GEMMA_EMBEDDING, c.num_hidden_layers)
    tensors = {names.get_name('model.' + key, try_suffixes=('.weight',)): weight for key, weight in model.state_dict().items()}
    tensors |= {'dense_2.weight': dense[0], 'dense_3.weight': dense[1]}
    for name, weight in tensors.items():
        data = weight.float().numpy()
        data, kind = (data + np.float32(1), 'F32') if data.ndim == 1 else (data, 'F16')
        kind = gguf.GGMLQuantizationType[kind]
        writer.add_tensor(name, gguf.quants.quantize(np.ascontiguousarray(data), kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def short(values):
    return [float(f'{float(x):.7g}') for x in values]


def golden(model, dense, tokens):
    with torch.no_grad():
        states = model(torch.tensor([tokens]), attention_mask=torch.ones(1, len(tokens), dtype=torch.long), use_cache=False).last_hidden_state[0]
    mean = states.mean(0)
    vector = dense[1] @ (dense[0] @ mean)
    return dict(tokens=tokens, mean=short(mean), vector=short(vector / vector.norm()))


def main(folder):
    tokenizer = fixture_tokenizer.train(True)
    table = fixture_tokenizer.pieces(tokenizer)
    random = torch.Generator().manual_seed(5)
    model = make_model(len(table), random)
    dense = [storable(torch.randn(shape, generator=random) / shape[1] ** 0.5) for shape in ((EXPANDED, WIDTH), (WIDTH, EXPANDED))]
    os.makedirs(folder, exist_ok=True)
    write_directory(f'{folder}/hf', model, dense, tokenizer)
    write_gguf(f'{folder}/gemma-embedding.gguf', model, dense, table)
    # The window reaches 8 tokens to each side; the longest text is far longer, and longer than a block of 64.
    texts = ['', 'The rain', 'A stone that is cut has 12 facets.', fixture_tokenizer.TEXT]
    lists = [(fixture_tokenizer.encode(tokenizer, text, BOS)[:150] + [EOS]) for text in texts]
    result = [dict(text=text, **golden(model, dense, tokens)) for text, tokens in zip(texts, lists)]
    result[-1].pop('text')  # cut off
    # Through the directory that was written: what is stored is what was measured.
    again = transformers.AutoModel.from_pretrained(f'{folder}/hf', dtype=torch.float32, attn_implementation='eager').eval()
    assert golden(again, dense, lists[-1]) == {k: v for k, v in result[-1].items() if k != 'text'}, 'the directory holds another model'
    json.dump(result, open(f'{folder}/goldens.json', 'w'), separators=(',', ':'))


main(*sys.argv[1:])
