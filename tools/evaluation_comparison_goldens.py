# SPDX-License-Identifier: Apache-2.0
# Part of Facet: Gemma, end to end, in Swift.
"""Paired comparisons as scipy and statsmodels compute them (Tests/Goldens/evaluation/comparison).

  evaluation_comparison_goldens.py FOLDER

`mcnemar.json`: statsmodels' McNemar test, exact below 25 discordant pairs and chi-squared with
continuity correction from there on. `bootstrap.json`: scipy's percentile interval of the mean of
paired differences, from 200,000 resamples, so that its own noise is small.
"""

import json
import random
import sys
from pathlib import Path

import numpy as np
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar


def tests():
    pairs = [(b, c) for b in range(0, 9) for c in range(0, 9)]
    pairs += [(24, 0), (0, 24), (12, 12), (13, 12), (25, 0), (30, 11), (200, 150), (3, 120), (5000, 4900), (60, 60)]
    rows = []
    for lost, won in pairs:
        exact = lost + won < 25
        result = mcnemar([[7, lost], [won, 5]], exact=exact, correction=True)
        rows.append([lost, won, "exact" if exact else "chi-squared", float(result.statistic), float(result.pvalue)])
    return rows


def intervals():
    rng = random.Random(5)
    rows = []
    for count, kind in ((30, "truth"), (250, "truth"), (400, "real"), (60, "real")):
        if kind == "truth":
            values = [rng.choice([-1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0]) for _ in range(count)]
        else:
            values = [round(rng.gauss(0.1, 1.5), 3) for _ in range(count)]
        result = stats.bootstrap(
            (np.array(values),), np.mean, n_resamples=200_000, method="percentile", batch=2000,
            rng=np.random.default_rng(1),
        )
        interval = result.confidence_interval
        rows.append(
            {
                "differences": values,
                "mean": float(np.mean(values)),
                "low": float(interval.low),
                "high": float(interval.high),
                "error": float(result.standard_error),
            }
        )
    return rows


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mcnemar.json").write_text(json.dumps(tests()))
    (folder / "bootstrap.json").write_text(json.dumps(intervals()))
