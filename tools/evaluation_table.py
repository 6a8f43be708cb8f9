"""How lm-eval prints figures: Tests/Goldens/evaluation/table.md.

    python3 tools/evaluation_table.py Tests/Goldens/evaluation/table.md

Oracle: lm_eval 0.4.13, make_table, of made-up figures of tasks and of a group."""
import sys
from lm_eval.utils import make_table

RESULTS = {
    'piqa': {'name': 'piqa', 'alias': 'piqa', 'sample_len': 9, 'acc,none': 0.62512, 'acc_stderr,none': 0.0131, 'acc_norm,none': 1.0, 'acc_norm_stderr,none': 'N/A'},
    'gsm8k': {'alias': 'gsm8k', 'exact_match,strict-match': 0.02, 'exact_match_stderr,strict-match': 0.00312, 'exact_match,flexible-extract': 0.03, 'exact_match_stderr,flexible-extract': 0.004},
    'wikitext': {'alias': 'wikitext', 'word_perplexity,none': 51.31609, 'word_perplexity_stderr,none': 'N/A', 'byte_perplexity,none': 2.2257, 'byte_perplexity_stderr,none': 'N/A', 'bits_per_byte,none': 1.1543, 'bits_per_byte_stderr,none': 'N/A'},
    'mmlu': {'alias': 'mmlu', 'acc,none': 0.25, 'acc_stderr,none': 0.01},
    'mmlu_stem': {'alias': 'stem', 'acc,none': 0.24, 'acc_stderr,none': 0.02},
    'mmlu_abstract_algebra': {'alias': 'abstract_algebra', 'acc,none': 0.2, 'acc_stderr,none': 0.04},
    'mmlu_anatomy': {'alias': 'anatomy', 'acc,none': 0.28, 'acc_stderr,none': 0.05},
}
UP, DOWN = True, False


def main(output):
    table = dict(
        results=RESULTS, groups={name: RESULTS[name] for name in ('mmlu', 'mmlu_stem')}, group_subtasks={'mmlu': ['mmlu_stem'], 'mmlu_stem': ['mmlu_abstract_algebra', 'mmlu_anatomy']},
        versions=dict(piqa=1.0, gsm8k=3.0, wikitext=2.0, mmlu=2, mmlu_stem=2, mmlu_abstract_algebra=1.0, mmlu_anatomy=1.0),
        higher_is_better={name: {metric: metric in ('acc', 'acc_norm', 'exact_match') for metric in ('acc', 'acc_norm', 'exact_match', 'word_perplexity', 'byte_perplexity', 'bits_per_byte')} for name in RESULTS},
        **{'n-shot': dict(piqa=0, gsm8k=5, wikitext=0, mmlu_abstract_algebra=5, mmlu_anatomy=5)})
    with open(output, 'w') as file: file.write(make_table(table) + '\n' + make_table(table, 'groups'))


if __name__ == '__main__':
    main(*sys.argv[1:])
