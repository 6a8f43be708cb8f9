"""Facet's own evaluator, asking the server as it would ask anybody's."""

import glob
import json
import os
import subprocess

from server import BASE

ROWS = os.path.join(os.path.dirname(__file__), "..", "..", "Tests", "Goldens", "evaluation", "rows")


def _evaluate(server, folder, *arguments):
    """The log-likelihoods of the documents, and the answers, in their order."""
    subprocess.run(
        [os.path.join(os.path.dirname(server.program), "facet"), "eval", BASE, "--tasks", "arc_easy,triviaqa", "--shots", "1",
         "--limit", "6", "--data", ROWS, "--output", folder, *arguments],
        check=True, capture_output=True, text=True, timeout=240)
    found = []
    for path in sorted(glob.glob(folder + "/**/samples_*.jsonl", recursive=True)):
        for line in open(path, encoding="utf-8"):
            found += [response[0] for response in json.loads(line)["resps"]]
    return found


def behind_a_server(server):
    """facet eval --server gives what facet eval gives: the same answers, and likelihoods as near as batches allow."""
    here = _evaluate(server, os.path.join(server.folder, "here"))
    there = _evaluate(server, os.path.join(server.folder, "there"), "--server", server.url + "/v1")
    assert len(here) == len(there) > 24, (len(here), len(there))
    scored = [(a, b) for a, b in zip(here, there) if isinstance(a, list)]
    written = [(a, b) for a, b in zip(here, there) if not isinstance(a, list)]
    assert len(scored) >= 24 and len(written) == 6, (len(scored), len(written))
    for a, b in scored:
        assert abs(float(a[0]) - float(b[0])) <= 0.1 and a[1] == b[1], (a, b)
    assert sum(a == b for a, b in written) >= 5, written
