"""Makes the weights of FacetEvaluation's ModerationScorer, and says how good they are.

Usage: moderation_scorer.py DATA OUT GOLDENS

DATA has openai_moderation/test*.jsonl (Markov et al., 2022, arXiv 2208.03274; MIT), OUT is the file of weights
(Sources/FacetEvaluation/Scoring/Models/moderation-ngram-1.bin), GOLDENS a file of texts with the probabilities that
this program gives them. A text is one to stop when any of its labels is 1. Needs numpy.
"""

import glob
import json
import struct
import sys
import unicodedata

import numpy as np

LABELS = ["S", "H", "V", "HR", "SH", "S3", "H2", "V2"]
SIZE = 1 << 14
RIDGE = 1e-4
FOLDS = 5


def words(text):
    small = "".join(character.lower() for character in text)
    found = [""]
    for place, character in enumerate(small):
        following = small[place + 1] if place + 1 < len(small) else " "
        if is_word(character) or character == "'" and found[-1] and is_word(following):
            found[-1] += character
        elif found[-1]:
            found.append("")
    return [word for word in found if word]


def is_word(character):
    return unicodedata.category(character)[0] in "LN"


def place(feature):
    value = 2166136261
    for byte in feature.encode():
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value % SIZE


def features(text):
    found = set()
    parts = words(text)
    for index, word in enumerate(parts):
        found.add(place("w " + word))
        if index + 1 < len(parts):
            found.add(place("b " + word + " " + parts[index + 1]))
        padded = " " + word + " "
        for length in (3, 4, 5):
            for start in range(len(padded) - length + 1):
                found.add(place("c " + padded[start : start + length]))
    return sorted(found)


def train(rows, truth):
    """Ridge-regularised logistic regression by Newton's method, in the space of rows."""
    products = rows @ rows.T + 1.0
    dual = np.zeros(len(truth))
    for _ in range(50):
        value = products @ dual
        probability = 1 / (1 + np.exp(-value))
        spread = np.maximum(probability * (1 - probability), 1e-9)
        new = np.linalg.solve(
            products + np.diag(len(truth) * RIDGE / spread), value + (truth - probability) / spread)
        step, dual = np.abs(new - dual).max(), new
        if step < 1e-9:
            break
    return rows.T @ dual, dual.sum()


def area(scores, truth):
    """The area under the ROC curve."""
    ranks = np.empty(len(scores))
    ranks[np.argsort(scores, kind="stable")] = np.arange(1, len(scores) + 1)
    right = truth.sum()
    return (ranks[truth == 1].sum() - right * (right + 1) / 2) / (right * (len(truth) - right))


def main():
    data, out, goldens = sys.argv[1:]
    texts, truth = [], []
    for path in sorted(glob.glob(data + "/openai_moderation/test*.jsonl")):
        for line in open(path, encoding="utf-8"):
            row = json.loads(line)
            texts.append(row["prompt"])
            truth.append(float(any(row.get(label) == 1 for label in LABELS)))
    truth = np.array(truth)
    rows = np.zeros((len(texts), SIZE))
    for index, text in enumerate(texts):
        found = features(text)
        if found:
            rows[index, found] = 1 / np.sqrt(len(found))

    fold = np.random.default_rng(0).integers(0, FOLDS, len(texts))
    held_out = np.zeros(len(texts))
    for number in range(FOLDS):
        weights, bias = train(rows[fold != number], truth[fold != number])
        held_out[fold == number] = rows[fold == number] @ weights + bias
    print(f"{len(texts)} texts, {int(truth.sum())} to stop; held out in {FOLDS} parts: "
          f"area under the curve {area(held_out, truth):.3f}, right {np.mean((held_out > 0) == (truth == 1)):.3f}")

    weights, bias = train(rows, truth)
    scale = np.float32(np.abs(weights).max() / 127)
    digits = np.round(weights / scale).astype(np.int8)
    bias = np.float32(bias)
    with open(out, "wb") as file:
        file.write(struct.pack("<ff", scale, bias) + digits.tobytes())

    own = ["", "…", "It's a fine day; the sea is calm.", "I will kill you, and I hate all of them!", "Ärger im Café 42",
           "She's nurse no. 1", "'quoted' don't stop'", "ΣΊΣΥΦΟΣ İstanbul", "你好 世界", "a_b-c",
           "How do I bake bread? " * 40, "They deserve to be beaten; such people are vermin.", "½ ² Ⅳ ٣ ǅ ʰ"]
    with open(goldens, "w", encoding="utf-8") as file:
        for text in own:
            found = features(text)
            value = float(bias) + float(scale) * int(digits[found].astype(int).sum()) / max(1, len(found)) ** 0.5
            json.dump({"text": text, "probability": 1 / (1 + np.exp(-value))}, file,
                      ensure_ascii=False)
            file.write("\n")


main()
