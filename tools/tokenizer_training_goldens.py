#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Part of Facet: Gemma, end to end, in Swift.
"""Trains vocabularies with `facet tokenizer train` and checks them with sentencepiece.

    python tools/tokenizer_training_goldens.py FACET [CORPUS…]

Writes Tests/Goldens/tokenizer/trained.{model,lines,ids,hashes}: the vocabulary that FACET (the built
command) learns from texts/emma.txt, random lines with sentencepiece's ids for them, and the hashes of
its ids for every fourth line of the tokenizer's corpus. With CORPUS, larger vocabularies are trained on
those files by FACET and by sentencepiece, and the share of pieces that both learn is told.
"""

import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import time

import sentencepiece
import tokenizer_corpus

GOLDENS = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "Goldens"
SYMBOLS = ["[note]", ":-)"]


def train(facet, files, size, output, *options):
    start = time.time()
    subprocess.run(
        [facet, "tokenizer", "train", "--input", *files, "--vocab-size", str(size), "-o", output, *options],
        check=True, stdout=subprocess.DEVNULL)
    return time.time() - start


def fnv(ids):
    """64-bit FNV-1a over the ids as little-endian 32-bit integers."""
    state = 0xCBF29CE484222325
    for byte in struct.pack(f"<{len(ids)}I", *ids):
        state = (state ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return state


def mixtures(count):
    """Random mixtures of scripts, emoji, digits, symbols and runs of spaces."""
    draw = random.Random(20261125)
    parts = ["the", "Emma", " ", "  ", "     ", "é", "日本語", "я", "😀", "👩‍👩‍👧", "12", "2024", ".", "▁", "\t", "e\u0301",
             "[note]", ":-)", "<bos>", "handsome", "ﬁ", "\u200b", "-", "'s", "İ", "ß"]
    return ["".join(draw.choice(parts) for _ in range(draw.randint(0, 12))) for _ in range(count)]


def piece_set(model):
    return {model.id_to_piece(i) for i in range(model.get_piece_size())}


def golden(facet):
    output = str(GOLDENS / "tokenizer" / "trained.model")
    train(facet, [str(GOLDENS / "texts" / "emma.txt")], 600, output, "--gemma", "--user-symbols", ",".join(SYMBOLS))
    model = sentencepiece.SentencePieceProcessor(model_file=output)
    lines = mixtures(300)
    folder = GOLDENS / "tokenizer"
    (folder / "trained.lines").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    ids = [" ".join(map(str, model.encode(line))) for line in lines]
    (folder / "trained.ids").write_text("".join(line + "\n" for line in ids), encoding="utf-8")
    corpus = tokenizer_corpus.read(str(folder))[::4]
    hashes = b"".join(struct.pack("<Q", fnv(model.encode(line))) for line in corpus)
    (folder / "trained.hashes").write_bytes(hashes)
    print(f"{len(lines)} mixtures and {len(corpus)} lines of the corpus")
    assert (model.pad_id(), model.eos_id(), model.bos_id(), model.unk_id()) == (0, 1, 2, 3)


def compare(facet, corpus, size, digits):
    with tempfile.TemporaryDirectory() as folder:
        # sentencepiece keeps the CR of CRLF as a character; Facet takes both as the line's end.
        text = b"".join(pathlib.Path(path).read_bytes() for path in corpus).replace(b"\r\n", b"\n")
        corpus = [folder + "/corpus.txt"]
        pathlib.Path(corpus[0]).write_bytes(text)
        ours = folder + "/ours.model"
        options = ["--user-symbols", ",".join(SYMBOLS)] + (["--split-digits"] if digits else [])
        seconds = train(facet, corpus, size, ours, *options)
        start = time.time()
        sentencepiece.SentencePieceTrainer.train(
            input=corpus, model_prefix=folder + "/theirs", vocab_size=size, model_type="bpe",
            character_coverage=0.9995, byte_fallback=True, normalization_rule_name="identity",
            remove_extra_whitespaces=False, split_digits=digits, user_defined_symbols=SYMBOLS,
            max_sentence_length=1 << 24, minloglevel=2)
        theirs_seconds = time.time() - start
        one = sentencepiece.SentencePieceProcessor(model_file=ours)
        other = sentencepiece.SentencePieceProcessor(model_file=folder + "/theirs.model")
        shared = len(piece_set(one) & piece_set(other))
        same = sum(one.id_to_piece(i) == other.id_to_piece(i) for i in range(size))
        print(f"{size} pieces, split digits {digits}: {shared / size:.4%} of the pieces are sentencepiece's, "
              f"{same / size:.4%} with the same id; {seconds:.1f} s, sentencepiece {theirs_seconds:.1f} s", flush=True)


def main():
    facet, *corpus = sys.argv[1:]
    golden(facet)
    if corpus:
        for size, digits in ((1000, False), (4000, True), (8000, False)):
            compare(facet, corpus, size, digits)


main()
