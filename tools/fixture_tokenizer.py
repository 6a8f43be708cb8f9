"""The small SentencePiece vocabularies of the model fixtures, trained by sentencepiece itself.

Used by model_fixtures.py. One vocabulary numbers its special pieces as Gemma does, the other as Llama does."""
import io, json
import sentencepiece as spm
from sentencepiece import sentencepiece_model_pb2 as model_pb2

VOCABULARY = 384
TEXT = '''The rain on the roof of the old house fell all night, and in the morning the river was high.
A stone that is cut well throws back the light that falls on it; a stone that is not cut is only a stone.
She said that there was nothing to be done, and that they should wait until the water had gone down.
They counted 12 boats, 37 sheep and 408 bags of flour on the other side, and one man who waved.
It was the best of times, it was the worst of times; it was the age of wisdom and of foolishness.
let total = first + second
    return total * (width - 1) / 2
Der Regen fiel die ganze Nacht auf das Dach, und am Morgen war der Fluss hoch.
Now and then the wind turned, and the sound of the bells came over the hill from the town.
'''


def train(gemma):
    """The bytes of a tokenizer.model."""
    special = dict(pad_id=0, eos_id=1, bos_id=2, unk_id=3, user_defined_symbols=['\n', '\n\n', '▁▁', '▁▁▁']) if gemma \
        else dict(pad_id=-1, unk_id=0, bos_id=1, eos_id=2)
    spaces = dict(add_dummy_prefix=not gemma, remove_extra_whitespaces=False, normalization_rule_name='identity')
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT.splitlines()), model_writer=model, model_type='bpe', vocab_size=VOCABULARY,
        character_coverage=1.0, byte_fallback=True, split_digits=True, num_threads=1, minloglevel=2,
        bos_piece='<bos>' if gemma else '<s>', eos_piece='<eos>' if gemma else '</s>', **special, **spaces)
    return model.getvalue()


def pieces(model):
    """(text, score, kind) of every piece, kinds numbered as GGUF and SentencePiece both do."""
    proto = model_pb2.ModelProto.FromString(model)
    return [(piece.piece, piece.score, piece.type) for piece in proto.pieces]


def encode(model, text, bos):
    return [bos] + spm.SentencePieceProcessor(model_proto=model).encode(text)


def tokenizer_json(model):
    """The vocabulary as the tokenizers library writes it, in the form of Llama 2's and Mistral's files."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, processors
    table = pieces(model)
    ids = {text: index for index, (text, _, _) in enumerate(table)}
    scores = {text: score for text, score, kind in table if kind == 1}
    merges = []
    for text in scores:
        for cut in range(1, len(text)):
            if text[:cut] in scores and text[cut:] in scores:
                merges.append((-scores[text], ids[text[:cut]], ids[text[cut:]], text[:cut], text[cut:]))
    merges = [(left, right) for *_, left, right in sorted(merges)]
    tokenizer = Tokenizer(models.BPE(ids, merges, unk_token='<unk>', fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend('▁'), normalizers.Replace(' ', '▁')])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace('▁', ' '), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(' ', 1, 0)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single='<s> $A', pair='<s> $A <s> $B', special_tokens=[('<s>', ids['<s>'])])
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in ('<unk>', '<s>', '</s>')])
    return json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, indent=1)
