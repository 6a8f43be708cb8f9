# SPDX-License-Identifier: Apache-2.0
# Part of Facet: Gemma, end to end, in Swift.
"""Schemas for guided generation, and the judgement of an independent validator on what comes of them.

    schema_goldens.py collect SUITE OUT    schemas and instances -> OUT (JSON)
    schema_goldens.py judge IN [GOLDEN]    answers that a test wrote -> figures, and a golden of them

SUITE is the folder json/tests/draft2020-12 of the source distribution of the Python package jsonschema, which
carries the JSON-Schema-Test-Suite. Further schemas are drawn by hypothesis-jsonschema, and by this script from the
keywords that guides know. The oracle is jsonschema with its format checker; needs jsonschema[format],
hypothesis-jsonschema.
"""

import json
import random
import sys
import warnings
from pathlib import Path

from jsonschema import Draft202012Validator

CHECKER = Draft202012Validator.FORMAT_CHECKER


def text(value):
    """The one form in which guided answers write JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def validator(schema):
    return Draft202012Validator(schema, format_checker=CHECKER)


def suite(folder):
    cases = []
    paths = sorted(Path(folder).glob("*.json")) + [
        Path(folder, "optional", "format", name + ".json")
        for name in ("date", "time", "date-time", "uuid", "email", "ipv4", "ipv6", "uri")
    ]
    for path in paths:
        for case in json.loads(path.read_text()):
            tests = [
                {"text": text(test["data"]), "valid": test["valid"]}
                for test in case["tests"]
            ]
            cases.append({"source": "suite/" + path.stem, "schema": case["schema"], "tests": tests})
    return cases


class Drawn:
    """Schemas drawn from the keywords that guides know."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def schema(self, depth=3):
        pick = self.random.choice
        kinds = ["string", "integer", "number", "enum", "boolean", "null", "const", "pattern", "format"]
        if depth > 0:
            kinds += ["object"] * 5 + ["array"] * 4 + ["anyOf", "oneOf", "allOf", "types", "prefix", "tree"]
        return getattr(self, "draw_" + pick(kinds))(depth)

    def number(self):
        return self.random.choice([self.random.randint(-50, 50), self.random.randint(-9999, 9999),
                                   round(self.random.uniform(-20, 20), 3), 0])

    def draw_string(self, depth):
        low, high = self.random.randint(0, 4), self.random.randint(4, 12)
        return self.random.choice([{"type": "string", "maxLength": high},
                                   {"type": "string", "minLength": low, "maxLength": high}])

    def bounds(self, numbers):
        low, high = sorted(numbers)
        schema = {}
        if self.random.random() < 0.8:
            schema[self.random.choice(["minimum", "exclusiveMinimum"])] = low
        if self.random.random() < 0.8:
            schema[self.random.choice(["maximum", "exclusiveMaximum"])] = high + 1
        return schema

    def draw_integer(self, depth):
        schema = {"type": "integer", **self.bounds([self.random.randint(-9999, 9999) for _ in range(2)])}
        if self.random.random() < 0.2:
            schema = {"type": "integer", "multipleOf": self.random.randint(1, 40)}
        return schema

    def draw_number(self, depth):
        return {"type": "number", **self.bounds([self.number(), self.number()])}

    def value(self):
        return self.random.choice([self.number(), True, None, "a", "naïve \"quote\"", "tab\t", [1, "x"], {"k": None}])

    def draw_enum(self, depth):
        return {"enum": [self.value() for _ in range(self.random.randint(1, 4))]}

    def draw_const(self, depth):
        return {"const": self.value()}

    def draw_boolean(self, depth):
        return {"type": "boolean"}

    def draw_null(self, depth):
        return {"type": "null"}

    def draw_pattern(self, depth):
        return self.random.choice([
            {"type": "string", "pattern": p} for p in (
                "^[A-Z]{2,4}-[0-9]{1,5}$", "^(red|green|blue)+$", "^a*b?$", "^\\S{1,8}$", "^#[0-9a-f]{6}$",
                "^[^@\\s]{1,9}@[a-z]{2,5}\\.[a-z]{2}$", "^\\+?[0-9 ]{3,12}$", "^v[0-9]+(\\.[0-9]+){0,2}$")
        ] + [{"type": "string", "pattern": "ab", "maxLength": 9}, {"type": "string", "pattern": "^x|y$", "maxLength": 6},
             {"type": "string", "pattern": "[0-9]", "minLength": 2, "maxLength": 5}])

    def draw_format(self, depth):
        return {"type": "string", "format": self.random.choice(
            ["date", "time", "date-time", "uuid", "email", "ipv4", "ipv6", "uri"])}

    def draw_types(self, depth):
        return {"type": self.random.sample(["string", "integer", "null", "boolean"], 2), "maxLength": 5}

    def draw_array(self, depth):
        schema = {"type": "array", "items": self.schema(depth - 1), "maxItems": self.random.randint(0, 4)}
        if self.random.random() < 0.5:
            schema["minItems"] = self.random.randint(0, schema["maxItems"])
        return schema

    def draw_prefix(self, depth):
        schema = {"type": "array", "prefixItems": [self.schema(depth - 1) for _ in range(self.random.randint(1, 3))]}
        schema["items"] = self.random.choice([False, self.schema(0)])
        schema["maxItems"] = 4
        return schema

    def draw_object(self, depth):
        names = self.random.sample(["name", "id", "size", "a b", "ß", "quote\"", "x/y", "list"], self.random.randint(1, 4))
        schema = {"type": "object", "properties": {name: self.schema(depth - 1) for name in names}}
        schema["required"] = [name for name in names if self.random.random() < 0.6]
        if self.random.random() < 0.4:
            schema["additionalProperties"] = self.random.choice([False, False, self.schema(0)])
        if self.random.random() < 0.2:
            schema["maxProperties"] = max(len(schema["required"]), 2)
        if self.random.random() < 0.2:
            schema["minProperties"] = 1
        return schema

    def draw_anyOf(self, depth):
        return {"anyOf": [self.schema(depth - 1) for _ in range(2)]}

    def draw_oneOf(self, depth):
        kinds = self.random.sample(["cat", "dog", "fish"], 2)
        return {"oneOf": [{"type": "object", "required": ["kind"],
                           "properties": {"kind": {"const": kind}, "v": self.schema(depth - 1)}} for kind in kinds]
                + [{"type": "integer", "minimum": 1, "maximum": 9}]}

    def draw_allOf(self, depth):
        return {"type": "object", "allOf": [
            {"properties": {"a": self.schema(0)}, "required": ["a"]},
            {"properties": {"b": self.schema(depth - 1), "a": {"title": "the same"}}}]}

    def draw_tree(self, depth):
        return {"$ref": "#/$defs/t", "$defs": {"t": {"type": "object", "required": ["v"], "properties": {
            "v": self.schema(0), "sub": {"type": "array", "maxItems": 2, "items": {"$ref": "#/$defs/t"}}}}}}


def local(schema, depth=0):
    """Whether references still mean the same inside another schema: only the outermost may have them."""
    if isinstance(schema, dict):
        return all((key != "$defs" or depth == 0) and local(value, depth + 1) for key, value in schema.items())
    return all(local(value, depth + 1) for value in schema) if isinstance(schema, list) else True


def drawn(count, seed):
    source, cases = Drawn(seed), []
    while len(cases) < count:
        schema = source.schema()
        if local(schema):
            cases.append({"source": "drawn", "schema": schema, "tests": []})
    return cases


def hypothesis(count):
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from hypothesis_jsonschema import from_schema
    from hypothesis_jsonschema._canonicalise import canonicalish

    pairs = []
    meta = {
        "type": "object", "required": ["type"], "additionalProperties": False,
        "properties": {
            "type": {"enum": ["string", "integer", "number", "array", "object", "boolean"]},
            "minLength": {"type": "integer", "minimum": 0, "maximum": 4},
            "maxLength": {"type": "integer", "minimum": 0, "maximum": 9},
            "minimum": {"type": "integer", "minimum": -500, "maximum": 500},
            "maximum": {"type": "number", "minimum": -500, "maximum": 500},
            "minItems": {"type": "integer", "minimum": 0, "maximum": 2},
            "maxItems": {"type": "integer", "minimum": 0, "maximum": 3},
            "items": {"type": "object", "required": ["type"], "additionalProperties": False,
                      "properties": {"type": {"enum": ["integer", "null", "boolean"]}}},
            "required": {"type": "array", "maxItems": 2, "items": {"enum": ["a", "b", "c"]}, "uniqueItems": True},
            "properties": {"type": "object", "maxProperties": 2, "additionalProperties": False,
                           "properties": {"a": {"type": "object", "maxProperties": 0},
                                          "b": {"enum": [{"type": "integer", "maximum": 7}, {"const": "x"}]}}},
        },
    }

    @seed(20261125)
    @settings(max_examples=count * 4, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck), deadline=None)
    @given(from_schema(meta))
    def run(schema):
        if len(pairs) < count and canonicalish(dict(schema)) != {"not": {}} and schema not in pairs:
            pairs.append(schema)

    run()
    return [{"source": "hypothesis", "schema": schema, "tests": []} for schema in pairs]


def instances(case, source):
    """Instances that no suite gives: small values, judged by the oracle."""
    pool = [None, True, 0, 1, -3, 7, 12345, 2.5, -0.125, "", "a", "ab", "abcdefghijklm", "red", "2024-02-30", [], [1], ["a"],
            [None, None, None, None, None], {}, {"a": 1}, {"b": "x"}, {"v": 1}, {"kind": "cat"}, {"kind": "cow"}, {"name": ""}]
    check = validator(case["schema"])
    return [{"text": text(value), "valid": check.is_valid(value)} for value in source.sample(pool, 12)]


def collect(folder, out):
    warnings.simplefilter("ignore")
    cases = suite(folder) + hypothesis(150) + drawn(500, 20261125)
    source = random.Random(1)
    for case in cases:
        if not case["tests"]:
            case["tests"] = instances(case, source)
        # A schema is handed over as text: its order of keys is its order of properties.
        case["schema"] = json.dumps(case["schema"], ensure_ascii=False)
    Path(out).write_text(json.dumps(cases, ensure_ascii=False))
    print(len(cases), "schemas,", sum(len(case["tests"]) for case in cases), "instances")


def judge(path, golden=None):
    report = json.loads(Path(path).read_text())
    counts = dict(schemas=0, refused=0, finished=0, valid=0, cut=0, rejected=0, invalid=0, accepted=0, wellformed=0)
    reasons, bad, kept = {}, [], []
    for case in report:
        counts["schemas"] += 1
        if case.get("refusal"):
            counts["refused"] += 1
            words = case["refusal"].split("'")
            kind = ("keyword " + words[2] if case["refusal"].startswith("The schema's keyword") else
                    "format " + words[2] if case["refusal"].startswith("The schema's format") else case["refusal"][:60])
            reasons[kind] = reasons.get(kind, 0) + 1
            continue
        check = validator(json.loads(case["schema"]))
        for instance in case["instances"]:
            counts["invalid" if not instance["valid"] else "wellformed"] += 1
            if not instance["valid"] and not instance["accepted"]:
                counts["rejected"] += 1
            elif instance["valid"] and instance["accepted"]:
                counts["accepted"] += 1
            elif not instance["valid"]:
                bad.append((case["schema"], instance["text"], "accepted though invalid"))
        for answer in case["answers"]:
            if not answer["finished"]:
                counts["cut"] += 1
                continue
            counts["finished"] += 1
            try:
                valid = check.is_valid(json.loads(answer["text"]))
            except json.JSONDecodeError:
                valid = False
            counts["valid"] += valid
            if not valid:
                bad.append((case["schema"], answer["text"], "does not validate"))
        kept.append({"schema": case["schema"], "answers": [a["text"] for a in case["answers"] if a["finished"]]})
    print(json.dumps(counts))
    for kind, count in sorted(reasons.items(), key=lambda entry: -entry[1]):
        print(f"{count:5} refused: {kind}")
    for entry in bad[:40]:
        print("BAD", *entry)
    print(len(bad), "bad")
    if golden:
        write_golden(kept, report, golden)
    if bad:
        sys.exit(1)


def write_golden(kept, report, golden):
    """A small share for the default tests: schemas, valid answers, and instances that are invalid."""
    source = random.Random(2)
    chosen = source.sample([c for c in report if not c.get("refusal") and len(c["schema"]) < 300], 180)
    cases = []
    for case in chosen:
        answers = sorted({a["text"] for a in case["answers"] if a["finished"] and len(a["text"]) < 160})[:2]
        invalid = [i["text"] for i in case["instances"] if not i["valid"] and len(i["text"]) < 60][:3]
        cases.append({"schema": case["schema"], "valid": answers, "invalid": invalid})
    Path(golden).write_text(json.dumps(cases, ensure_ascii=False, indent=0) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["collect"]:
        collect(*sys.argv[2:4])
    elif sys.argv[1:2] == ["judge"]:
        judge(*sys.argv[2:4])
    else:
        sys.exit(__doc__)
