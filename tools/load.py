"""Loads a server that speaks OpenAI's API, and says how long its clients waited.

Usage: load.py URL MODEL [--streams 1,8,16] [--prompt 128] [--tokens 64] [--rounds 3] [--shared] [--key KEY]

Each stream asks for a continuation of a prompt of its own (with --shared: all of them begin alike) and reads it
to the end. Reported for each number of streams: the time to the first token and the gap between two tokens
(median, 95 and 99 per cent), and the tokens of all streams together per second. Only the standard library.
"""

import argparse
import http.client
import json
import random
import statistics
import threading
import time
import urllib.parse

WORDS = ("river stone light winter garden letter music market window captain silver morning island paper "
         "engine shadow harbour bread mountain question").split()


def tokens(base, model, text, key):
    connection = connect(base)
    connection.request("POST", "/tokenize", json.dumps({"model": model, "prompt": text}), headers(key))
    return json.load(connection.getresponse())["tokens"]


def connect(base):
    kind = http.client.HTTPSConnection if base.scheme == "https" else http.client.HTTPConnection
    return kind(base.hostname, base.port, timeout=600)


def headers(key):
    return {"Content-Type": "application/json", **({"Authorization": "Bearer " + key} if key else {})}


class Stream:
    """One client: asks, reads, and keeps the times at which tokens came."""

    def __init__(self, base, model, prompt, count, key):
        self.base, self.count, self.key = base, count, key
        self.body = json.dumps({
            "model": model, "prompt": prompt, "max_tokens": count, "temperature": 1, "seed": random.randrange(1 << 30),
            "stream": True, "logprobs": 0, "ignore_eos": True})
        self.times, self.error = [], None

    def run(self, start):
        start.wait()
        self.began = time.perf_counter()
        try:
            connection = connect(self.base)
            connection.request("POST", "/v1/completions", self.body, headers(self.key))
            response = connection.getresponse()
            if response.status != 200:
                raise RuntimeError(f"{response.status}: {response.read(300)}")
            for line in response:
                # Every token has an event of its own, since log-probabilities are asked for.
                if line.startswith(b"data: {") and b'"token_logprobs":[' in line:
                    self.times.append(time.perf_counter())
            connection.close()
        except Exception as error:
            self.error = error


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def measure(options, base, count, prompts):
    first, gaps, rates = [], [], []
    for _ in range(options.rounds):
        streams = [Stream(base, options.model, next(prompts), options.tokens, options.key) for _ in range(count)]
        start = threading.Event()
        threads = [threading.Thread(target=stream.run, args=(start,)) for stream in streams]
        for thread in threads:
            thread.start()
        begin = time.perf_counter()
        start.set()
        for thread in threads:
            thread.join()
        for stream in streams:
            if stream.error:
                raise SystemExit(f"a stream failed: {stream.error}")
        total = sum(len(stream.times) for stream in streams)
        rates.append(total / (max(stream.times[-1] for stream in streams) - begin))
        first += [stream.times[0] - stream.began for stream in streams]
        gaps += [b - a for stream in streams for a, b in zip(stream.times, stream.times[1:])]
    times = lambda values: " ".join(f"{1000 * percentile(values, share):8.1f}" for share in (0.5, 0.95, 0.99))
    print(f"{count:7} | {times(first)} | {times(gaps)} | {statistics.median(rates):8.1f}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("model")
    parser.add_argument("--streams", default="1,8,16")
    parser.add_argument("--prompt", type=int, default=128)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shared", action="store_true")
    parser.add_argument("--key")
    options = parser.parse_args()
    base = urllib.parse.urlsplit(options.url)
    random.seed(7)

    def prompts():
        beginning = [random.choice(WORDS) for _ in range(options.prompt)]
        common = tokens(base, options.model, " ".join(beginning), options.key)
        while True:
            own = tokens(base, options.model, " ".join(random.choice(WORDS) for _ in range(2 * options.prompt)),
                         options.key)
            shared = common[:options.prompt * 3 // 4] if options.shared else common[:1]
            yield (shared + own[1:])[:options.prompt]

    source = prompts()
    print("        |   first token, ms          |   between tokens, ms       | tokens/s")
    print("streams |      p50      p95      p99 |      p50      p95      p99 |    total")
    measure(argparse.Namespace(**{**vars(options), "rounds": 1, "tokens": 4}), base, 1, source)
    for count in map(int, options.streams.split(",")):
        measure(options, base, count, source)


if __name__ == "__main__":
    main()
