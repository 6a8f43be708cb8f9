"""Token ids, decoded texts and small vocabularies by independent tokenizers, for the tests of FacetTokenizer.

    python3 tools/tokenizer_corpus.py SHARED_DATA Tests/Goldens/tokenizer
    python3 tools/tokenizer_goldens.py SHARED_DATA GEMMA3.gguf SMOLLM2.gguf Tests/Goldens/tokenizer

Oracles: sentencepiece for the SentencePiece vocabularies (Gemma 3's is put back into a ModelProto from the GGUF file) and the
package tokenizers for byte-level BPE. The small vocabularies are trained here by the same two packages and written in every
form that Facet reads. A `.hashes` file holds, for each line of the corpus, the 64-bit FNV-1a hash of its ids as little-endian
32-bit integers, and then of each hundred lines joined by line breaks; an `.ids` file the ids themselves of the first 300 lines (small vocabularies: 100)."""
import json, random, shutil, struct, sys
import gguf, sentencepiece, tokenizers
from sentencepiece import sentencepiece_model_pb2 as pb
from tokenizers import AddedToken, Regex, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizer_corpus import escaped, read

NORMAL, UNKNOWN, CONTROL, USER, UNUSED, BYTE = range(1, 7)
SMALL = 3000


def fnv(ids):
    state = 0xCBF29CE484222325
    for byte in struct.pack(f'<{len(ids)}i', *ids):
        state = (state ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return state


def write(out, name, encode, lines):
    blocks = ['\n'.join(lines[i:i + 100]) for i in range(0, len(lines), 100)]
    ids = [encode(line) for line in lines + blocks]
    with open(f'{out}/{name}.hashes', 'wb') as f:
        f.write(b''.join(struct.pack('<Q', fnv(x)) for x in ids))
    with open(f'{out}/{name}.ids', 'w') as f:
        f.write(''.join(' '.join(map(str, x)) + '\n' for x in ids[:300 if len(lines) > SMALL else 100]))
    print(f'{name}: {len(ids)} lines, {sum(map(len, ids))} ids')
    return ids


def indices(out, name, some, lines):
    with open(f'{out}/{name}.lines', 'w') as f:
        f.write(''.join(f'{lines.index(s)}\n' for s in some))


def contents(path):
    fields = gguf.GGUFReader(path).fields
    return {k[len('tokenizer.ggml.'):]: f.contents() for k, f in fields.items() if k.startswith('tokenizer.ggml.')}


def processor(proto):
    sp = sentencepiece.SentencePieceProcessor()
    sp.LoadFromSerializedProto(proto.SerializeToString())
    return sp


def gemma_proto(path):
    """Gemma 3's ModelProto, with the settings of its kind: identity normalizer, byte fallback, no dummy prefix."""
    v = contents(path)
    proto = pb.ModelProto()
    for i, (text, score, kind) in enumerate(zip(v['tokens'], v['scores'], v['token_type'])):
        # The GGUF form has plain spaces in user-defined pieces and calls <unk> a control piece.
        kind = UNKNOWN if i == v['unknown_token_id'] else kind
        # Facet never makes an image's marks out of text, as the file would have it.
        kind = CONTROL if text in ('<start_of_image>', '<end_of_image>') else kind
        proto.pieces.add(piece=text.replace(' ', '▁'), score=score, type=kind)
    t, n = proto.trainer_spec, proto.normalizer_spec
    t.model_type, t.byte_fallback, t.vocab_size = 2, True, len(proto.pieces)
    t.pad_id, t.eos_id, t.bos_id, t.unk_id = 0, 1, 2, 3
    t.pad_piece, t.eos_piece, t.bos_piece, t.unk_piece = '<pad>', '<eos>', '<bos>', '<unk>'
    n.name, n.add_dummy_prefix, n.remove_extra_whitespaces, n.escape_whitespaces = 'identity', False, False, True
    return proto


# Byte-level BPE

def bytes_to_unicode():
    kept = list(range(0x21, 0x7F)) + list(range(0xA1, 0xAD)) + list(range(0xAE, 0x100))
    rest = [b for b in range(256) if b not in kept]
    return {**{b: chr(b) for b in kept}, **{b: chr(256 + i) for i, b in enumerate(rest)}}


SPLITS = {
    'gpt2': lambda: pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
    'smollm': lambda: pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]),
}


def byte_level(vocab, merges, split, **options):
    t = tokenizers.Tokenizer(models.BPE(vocab=vocab, merges=merges, **options))
    t.pre_tokenizer, t.decoder = SPLITS[split](), decoders.ByteLevel()
    return t


def smollm2(path, out, lines):
    """SmolLM2's ids, and its vocabulary in little: special names, byte pieces, and merges as pairs of 16-bit ids."""
    v = contents(path)
    pieces, merges = v['tokens'], [tuple(m.split(' ')) for m in v['merges']]
    index = {p: i for i, p in enumerate(pieces)}
    first = len(pieces) - len(merges)
    # Piece `first + n` is what merge n gives, so that merges and the pieces before them are the whole vocabulary.
    assert all(pieces[first + i] == a + b for i, (a, b) in enumerate(merges))
    with open(f'{out}/smollm2.merges', 'wb') as f:
        f.write(b''.join(struct.pack('<HH', index[a], index[b]) for a, b in merges))
    with open(f'{out}/smollm2.pieces', 'w', encoding='utf-8') as f:
        f.write(''.join(p + '\n' for p in pieces[:first]))
    literal = byte_level(index, merges, 'smollm')
    write(out, 'smollm2', lambda s: literal.encode(s).ids, lines)
    special = byte_level(index, merges, 'smollm')
    special.add_special_tokens([AddedToken(p, special=True, normalized=False) for p in pieces[:17]])
    some = [s for s in lines if '<' in s][:700]
    write(out, 'smollm2-special', lambda s: special.encode(s, add_special_tokens=False).ids, some)
    indices(out, 'smollm2-special', some, lines)


def small_byte_level(out, lines):
    some = lines[:SMALL]
    for name, split, ignore in (('gpt2', 'gpt2', False), ('smollm', 'smollm', False), ('whole-words', 'gpt2', True)):
        t = byte_level({}, [], split)
        t.train_from_iterator(lines, trainers.BpeTrainer(vocab_size=700, initial_alphabet=sorted(bytes_to_unicode().values()), special_tokens=['<|endoftext|>', '<|im_start|>', '<|im_end|>'], show_progress=False))
        spec = json.loads(t.to_str())
        if ignore:
            # Pieces that no merge reaches: only a word taken whole can be one of them.
            for word in ('Ġtransformers', 'Ġthe', 'function', 'ĠÐ¿ÑĢÐ¸Ð²ÐµÑĤ'):
                spec['model']['vocab'].setdefault(word, len(spec['model']['vocab']))
            merges = spec['model']['merges']
            spec['model']['merges'] = [m for m in merges if ''.join(m) != 'Ġthe']
            spec['model']['ignore_merges'] = True
        literal = dict(spec, added_tokens=[])
        spec['post_processor'] = None
        with open(f'{out}/small/{name}.json', 'w', encoding='utf-8') as f:
            # tokenizers itself writes merges as pairs; older files have one string for each.
            if name == 'smollm':
                spec['model']['merges'] = [' '.join(m) for m in spec['model']['merges']]
            json.dump(spec, f, ensure_ascii=name == 'gpt2', separators=(',', ':'))
        oracle = tokenizers.Tokenizer.from_str(json.dumps(literal))
        write(out + '/small', name, lambda s: oracle.encode(s).ids, some)
        if not ignore:
            pieces = sorted(spec['model']['vocab'], key=spec['model']['vocab'].get)
            w = gguf.GGUFWriter(f'{out}/small/{name}.gguf', 'llama')
            w.add_tokenizer_model('gpt2')
            w.add_tokenizer_pre('smollm' if name == 'smollm' else 'gpt-2')
            w.add_token_list(pieces)
            w.add_token_types([CONTROL if i < 3 else NORMAL for i in range(len(pieces))])
            w.add_token_merges([m if isinstance(m, str) else ' '.join(m) for m in spec['model']['merges']])
            finish(w)
    # A vocabulary with Llama 3's word pattern, which Facet must refuse rather than cut otherwise.
    t = byte_level({}, [], 'gpt2')
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex("(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|\\s+"), 'isolated'), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    with open(f'{out}/small/llama3-split.json', 'w', encoding='utf-8') as f:
        f.write(t.to_str())


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


# SentencePiece

def small_sentencepiece(out, lines):
    import io
    # Few scripts, so that the small alphabet covers nearly all of it; the other scripts become bytes.
    train = [s for s in lines if s.strip() and s.isprintable() and all(ord(c) < 0x450 or c == '▁' for c in s)]
    shared = dict(model_type='bpe', normalization_rule_name='identity', remove_extra_whitespaces=False, split_digits=True, character_coverage=0.995, minloglevel=2, max_sentence_length=1 << 16, num_threads=1)
    kinds = {
        'gemma': dict(vocab_size=900, byte_fallback=True, add_dummy_prefix=False, pad_id=0, eos_id=1, bos_id=2, unk_id=3, pad_piece='<pad>', eos_piece='<eos>', bos_piece='<bos>', control_symbols=['<start_of_turn>', '<end_of_turn>'],
                      user_defined_symbols=['\n', '\n\n', '\n\n\n', '▁▁', '▁▁▁', '▁▁▁▁', '\t', '\t\t', '<b>', '</b>', '<blockquote>', '[toxicity=0]', 'ab▁c']),
        'llama': dict(vocab_size=800, byte_fallback=True, add_dummy_prefix=True, unk_id=0, bos_id=1, eos_id=2, pad_id=-1, control_symbols=['[INST]', '[/INST]']),
        'no-bytes': dict(vocab_size=500, byte_fallback=False, add_dummy_prefix=True, unk_id=0, bos_id=1, eos_id=2, pad_id=-1, user_defined_symbols=['<b>']),
    }
    protos = {}
    for name, options in kinds.items():
        stream = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(train), model_writer=stream, **shared, **options)
        protos[name] = pb.ModelProto.FromString(stream.getvalue())
    # Every seventh piece that merging made is taken out of use: it must come apart again.
    protos['unused'] = pb.ModelProto.FromString(protos['gemma'].SerializeToString())
    made = [p for p in protos['unused'].pieces if p.type == NORMAL and len(p.piece) > 1]
    for p in made[::7]:
        p.type = UNUSED
    # A vocabulary that cannot even express a space.
    protos['no-space'] = pb.ModelProto.FromString(protos['no-bytes'].SerializeToString())
    kept = [p for p in protos['no-space'].pieces if '▁' not in p.piece]
    del protos['no-space'].pieces[:]
    protos['no-space'].pieces.extend(kept)
    for name, proto in protos.items():
        with open(f'{out}/small/{name}.model', 'wb') as f:
            f.write(proto.SerializeToString())
        sp = processor(proto)
        ids = write(out + '/small', name, sp.encode, lines[:SMALL])
        if name in ('gemma', 'llama'):
            other_forms(out, name, proto, ids, lines)
        decoding(out, 'small/' + name, sp, len(proto.pieces))


def hugging_face(proto, metaspace=False):
    """The same model as tokenizer.json has it: merges instead of scores, user-defined pieces as added tokens."""
    vocab = {p.piece: i for i, p in enumerate(proto.pieces)}
    mergeable = {p.piece: p.score for p in proto.pieces if p.type in (NORMAL, USER)}
    merges = []
    for piece, score in mergeable.items():
        local = [(piece[:i], piece[i:]) for i in range(1, len(piece)) if piece[:i] in mergeable and piece[i:] in mergeable]
        merges += [(-score, vocab[a], vocab[b], a, b) for a, b in local]
    t = tokenizers.Tokenizer(models.BPE(vocab=vocab, merges=[m[3:] for m in sorted(merges)], unk_token='<unk>', fuse_unk=True, byte_fallback=True))
    prefix = proto.normalizer_spec.add_dummy_prefix
    if metaspace:
        t.pre_tokenizer = pre_tokenizers.Metaspace(replacement='▁', prepend_scheme='always' if prefix else 'never', split=False)
    else:
        steps = ([normalizers.Prepend('▁')] if prefix else []) + [normalizers.Replace(' ', '▁')]
        t.normalizer = normalizers.Sequence(steps) if prefix else steps[0]
        if not prefix:
            t.pre_tokenizer = pre_tokenizers.Split(' ', 'merged_with_previous')
    return t


def other_forms(out, name, proto, ids, lines):
    for form in ('', '-metaspace') if name == 'llama' else ('',):
        t = hugging_face(proto, metaspace=bool(form))
        literal = tokenizers.Tokenizer.from_str(t.to_str())
        literal.add_tokens([AddedToken(p.piece, special=False, normalized=False) for p in proto.pieces if p.type == USER])
        added = [AddedToken(p.piece, special=p.type in (CONTROL, UNKNOWN), normalized=False) for p in proto.pieces if p.type in (CONTROL, UNKNOWN, USER)]
        t.add_tokens(added)
        bos = proto.trainer_spec.bos_piece
        t.post_processor = tokenizers.processors.TemplateProcessing(single=[bos, '$A'], pair=[bos, '$A', '$B'], special_tokens=[(bos, t.token_to_id(bos))])
        spec = json.loads(t.to_str())
        with open(f'{out}/small/{name}{form}.json', 'w', encoding='utf-8') as f:
            json.dump(spec, f, ensure_ascii=False, separators=(',', ':'))
        theirs = [literal.encode(s, add_special_tokens=False).ids for s in lines[:SMALL]]
        differing = [i for i, (a, b) in enumerate(zip(ids, theirs)) if a != b]
        print(f'  tokenizers on {name}{form}.json: {len(differing)} lines of {SMALL} differ from sentencepiece', [lines[i] for i in differing[:5] if not form])
        if not form:
            # Lines with names of control tokens, which are looked for; three differ for another reason, a ▁ before spaces.
            some = [s for s in lines if any(x in s for x in ('_of_turn>', '<s>', '</s>', '<bos>', '[INST', '[/INST]', '<pad>')) and '<unk>' not in s and '▁' not in s]
            write(out + '/small', name + '-special', lambda s: t.encode(s, add_special_tokens=False).ids, some)
            indices(out + '/small', name + '-special', some, lines)
        else:
            # Metaspace leaves out the prefix before a space, which sentencepiece does not.
            write(out + '/small', name + form, lambda s: literal.encode(s, add_special_tokens=False).ids, lines[:SMALL])
    w = gguf.GGUFWriter(f'{out}/small/{name}.gguf', 'gemma3' if name == 'gemma' else 'llama')
    w.add_tokenizer_model('llama')
    w.add_tokenizer_pre('default')
    user = lambda p: p.piece.replace('▁', ' ') if p.type == USER else p.piece
    w.add_token_list([user(p) for p in proto.pieces])
    w.add_token_scores([p.score for p in proto.pieces])
    w.add_token_types([p.type for p in proto.pieces])
    t = proto.trainer_spec
    w.add_bos_token_id(t.bos_id)
    w.add_eos_token_id(t.eos_id)
    w.add_unk_token_id(t.unk_id)
    w.add_add_space_prefix(proto.normalizer_spec.add_dummy_prefix)
    finish(w)


def decoding(out, name, sp, size):
    """Random ids and the text that sentencepiece makes of them; control tokens, bytes and broken UTF-8 included."""
    r = random.Random(20261125)
    with open(f'{out}/{name}.decoded', 'w', encoding='utf-8') as f:
        for _ in range(250):
            low = r.choice([20, 300, size])
            ids = [r.randrange(min(low, size)) for _ in range(r.randint(0, 9))]
            f.write(' '.join(map(str, ids)) + '|' + escaped(sp.decode(ids)) + '\n')


def main(data, gemma, smol, out):
    import os
    os.makedirs(out + '/small', exist_ok=True)
    lines = read(out)
    small_sentencepiece(out, lines)
    small_byte_level(out, lines)
    smollm2(smol, out, lines)
    proto = gemma_proto(gemma)
    write(out, 'gemma3', processor(proto).encode, lines)
    decoding(out, 'gemma3', processor(proto), len(proto.pieces))
    for version in ('v1', 'v3'):
        path = f'{data}/tokenizers/mistral-{version}.tokenizer.model'
        sp = sentencepiece.SentencePieceProcessor(model_file=path)
        write(out, f'mistral-{version}', sp.encode, lines)
        decoding(out, f'mistral-{version}', sp, sp.vocab_size())
    shutil.copy(f'{data}/tokenizers/mistral-v1.tokenizer.model', out)
    os.chmod(f'{out}/mistral-v1.tokenizer.model', 0o644)


if __name__ == '__main__':
    main(*sys.argv[1:5])
