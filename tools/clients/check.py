"""Drives facet-serve with the real clients of every API it speaks.

Usage: check.py SERVER [--lm-eval]

A check is a function whose name begins with an API's; it raises when something is not as that API's
clients expect. The models of FACET_HOME are shared by hard links, so that nothing is changed there.
"""

import inspect
import sys
import time
import traceback

import anthropic_checks
import evaluation_checks
import gemini_checks
import inference_checks
import ollama_checks
import openai_checks
import operation_checks
from server import Server


def checks(module):
    return [f for name, f in inspect.getmembers(module, inspect.isfunction)
            if f.__module__ == module.__name__ and not name.startswith("_")]


def run(server, modules):
    failures = 0
    for module in modules:
        for check in checks(module):
            start = time.monotonic()
            try:
                check(server)
                print(f"ok    {module.__name__[:-7]:10} {check.__name__} ({time.monotonic() - start:.1f} s)")
            except Exception:
                failures += 1
                print(f"FAIL  {module.__name__[:-7]:10} {check.__name__}")
                traceback.print_exc(limit=-2)
            sys.stdout.flush()
    return failures


def main():
    modules = [openai_checks, ollama_checks, anthropic_checks, gemini_checks, inference_checks, operation_checks,
               evaluation_checks]
    if "--lm-eval" in sys.argv:
        import harness_checks
        modules.append(harness_checks)
    only = [a for a in sys.argv[2:] if not a.startswith("--")]
    if only:
        modules = [m for m in modules if m.__name__[:-7] in only]
    with Server(sys.argv[1], "--model", "smollm2:135m") as server:
        failures = run(server, modules)
        server.expect_alive()
    if failures:
        sys.exit(f"{failures} failed")


if __name__ == "__main__":
    main()
