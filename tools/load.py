"""Loads a server that speaks OpenAI's API, and says how long its clients waited.

Usage: load.py URL MODEL [--streams 1,8,16] [--prompt 128] [--tokens 64] [--rounds 3] [--shared 0] [--warm] [--seed S]
       [--key KEY]

Each stream asks for a continuation of a prompt of its own and reads it to the end. With --shared, so many tokens at the
beginning of a round's prompts are the same; with --warm the same ones in all rounds, so that the server may still hold
them. Reported for each number of streams: the time to the first text and the gap between two pieces of text (median, 95
and 99 per cent; nearly every token brings one), and the tokens of all streams together per second, prompts included, as
the median of the rounds. Works with servers that know /tokenize, prompts as tokens and ignore_eos: this one, vLLM,
llama.cpp's. Only the standard library.
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
    body = {"model": model, "prompt": text, "content": text, "add_special": True}
    connection.request("POST", "/tokenize", json.dumps(body), headers(key))
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
            "stream": True, "stream_options": {"include_usage": True}, "ignore_eos": True})
        self.times, self.error, self.tokens = [], None, 0

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
                now = time.perf_counter()
                if not line.startswith(b"data: {"):
                    continue
                event = json.loads(line[6:])
                if any(choice.get("text") for choice in event.get("choices", [])):
                    self.times.append(now)
                self.tokens = (event.get("usage") or {}).get("completion_tokens", self.tokens)
            connection.close()
            if self.tokens != self.count or not self.times:
                raise RuntimeError(f"{self.tokens} tokens came instead of {self.count}")
        except Exception as error:
            self.error = error


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def measure(options, base, count, prompts):
    first, gaps, rates = [], [], []
    for _ in range(options.rounds):
        streams = [Stream(base, options.model, prompt, options.tokens, options.key) for prompt in prompts(count)]
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
        total = sum(stream.tokens for stream in streams)
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
    parser.add_argument("--shared", type=int, default=0)
    parser.add_argument("--warm", action="store_true")
    parser.add_argument("--key")
    parser.add_argument("--seed", type=int, help="of the prompts; otherwise they are new in each run")
    options = parser.parse_args()
    base = urllib.parse.urlsplit(options.url)
    random.seed(options.seed)

    def words():
        text = " ".join(random.choice(WORDS) for _ in range(2 * options.prompt))
        return tokens(base, options.model, text, options.key)

    kept = words()

    def prompts(count):
        common = (kept if options.warm else words())[:max(1, options.shared)]
        return [(common + words()[1:])[:options.prompt] for _ in range(count)]

    print("        |   first token, ms          |   between tokens, ms       | tokens/s")
    print("streams |      p50      p95      p99 |      p50      p95      p99 |    total")
    print("to warm up:")
    measure(argparse.Namespace(**{**vars(options), "rounds": 1}), base, 2, prompts)
    for count in map(int, options.streams.split(",")):
        measure(options, base, count, prompts)


if __name__ == "__main__":
    main()
