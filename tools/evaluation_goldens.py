"""What lm-evaluation-harness says of Gemma 3 270M on rows of tools/evaluation_rows.py.

    python3 tools/evaluation_goldens.py MODEL_DIRECTORY ROWS OUTPUT.json TASK:SHOTS[:LIMIT] …
    python3 tools/evaluation_goldens.py brief OUTPUT.json … Tests/Goldens/evaluation/hundreds.json

Oracle: lm_eval 0.4.13 with `--model hf` in f32 on MODEL_DIRECTORY, a Hugging Face directory whose weights are the GGUF file's expanded by
the gguf package (tools/gemma_270m_goldens.py) and whose tokenizer transformers read from that file. Each task is lm-eval's own YAML; only
where its rows come from is overridden. Requests whose tokens differ between transformers' reading of the vocabulary and
sentencepiece's are marked, since Facet's tokenizer follows the latter. Programs run as for code_eval, which has to be fetched: they pass if
they end well within three seconds. Run this only where a model's programs may do no harm. Softmax in f64: in f32 PyTorch's sum over 262,144
logits loses 0.00003 a token, 0.05 over a page of 1,400.

`brief` joins such files for some hundreds of documents a task, each a line: eight digits of the prompt's hash, "x" where tokens differ, then
log-likelihoods in thousandths without their sign, or eight digits of each written answer's hash (SHA-256), and behind a bar the task's values."""
import hashlib, json, math, os, subprocess, sys, tempfile
os.environ['HF_HUB_OFFLINE'] = '1'
os.environ['HF_DATASETS_OFFLINE'] = '1'
import evaluate
import sentencepiece
import yaml


def passes(program):
    with tempfile.TemporaryDirectory() as scratch:
        try: run = subprocess.run([sys.executable, '-I', '-c', program], cwd=scratch, timeout=3, capture_output=True, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired: return False
        return run.returncode == 0


class Programs:
    """code_eval for one candidate of each program."""
    def compute(self, references, predictions, **_):
        assert all(len(candidates) == 1 for candidates in predictions)
        right = [passes(candidates[0] + '\n' + reference) for candidates, reference in zip(predictions, references)]
        return [{'pass@1': sum(right) / len(right)}]


evaluate.load = lambda *_: Programs()
os.environ['HF_ALLOW_CODE_EVAL'] = '1'
import lm_eval, lm_eval.tasks
from lm_eval.models.huggingface import HFLM

ROOT = os.path.dirname(lm_eval.tasks.__file__)
BBH = 'bbh_cot_fewshot_'
YAMLS = dict(
    arc_easy='arc/arc_easy', arc_challenge='arc/arc_challenge', piqa='piqa/piqa', social_iqa='siqa/siqa', boolq='super_glue/boolq/default',
    winogrande='winogrande/default', hellaswag='hellaswag/hellaswag', openbookqa='openbookqa/openbookqa', commonsense_qa='commonsense_qa/default',
    truthfulqa_mc1='truthfulqa/truthfulqa_mc1', truthfulqa_mc2='truthfulqa/truthfulqa_mc2', crows_pairs_english='crows_pairs/crows_pairs_english',
    bbq='bbq/bbq_multiple_choice', winogender_all='winogender/winogender', wikitext='wikitext/wikitext', triviaqa='triviaqa/default',
    nq_open='nq_open/nq_open', gsm8k='gsm8k/gsm8k', humaneval='humaneval/humaneval', mbpp='mbpp/mbpp')
YAMLS |= {f'agieval_{name}': f"agieval/{name.replace('_', '-')}" for name in ('aqua_rat', 'sat_math', 'logiqa_en', 'lsat_lr', 'math')}
SUBJECTS = dict(algebra='Algebra', num_theory='Number Theory', prealgebra='Prealgebra')
YAMLS |= {f'minerva_math_{name}': f'minerva_math/minerva_math_{name}' for name in SUBJECTS}
FOLDERS = dict(truthfulqa_mc1='truthfulqa', truthfulqa_mc2='truthfulqa', crows_pairs_english='crows_pairs', winogender_all='winogender')


def rows_of(task, rows, scratch):
    """Split → file with this task's rows."""
    folder, key, value = FOLDERS.get(task, task), None, None
    if task.startswith('mmlu_'): folder, key, value = 'mmlu', 'subject', task[5:]
    if task.startswith(BBH): folder, key, value = 'bbh', 'task', task[len(BBH):]
    if task.startswith('agieval_'): folder = f'agieval/{task[8:]}'
    if task.startswith('minerva_math_'): folder, key, value = 'math', 'type', SUBJECTS[task[13:]]
    files = {}
    for name in sorted(name for name in os.listdir(f'{rows}/{folder}') if name.endswith('.jsonl')):
        lines = [json.loads(line) for line in open(f'{rows}/{folder}/{name}', encoding='utf-8')]
        if key: lines = [line for line in lines if line[key] == value]
        split = name.removesuffix('.jsonl')
        files[split] = f'{scratch}/{task}-{split}.jsonl'
        with open(files[split], 'w', encoding='utf-8') as file:
            for line in lines: file.write(json.dumps(line, ensure_ascii=False) + '\n')
    return files


def definition(task, rows, scratch):
    path = f'{ROOT}/{YAMLS.get(task)}.yaml'
    if task.startswith('mmlu_'): path = f'{ROOT}/mmlu/default/{task}.yaml'
    if task.startswith(BBH): path = f'{ROOT}/bbh/cot_fewshot/{task[len(BBH):]}.yaml'
    files = rows_of(task, rows, scratch)
    text = dict(include=path, task=task, dataset_path='json', dataset_name=None, dataset_kwargs=dict(data_files=files))
    without = ('truthfulqa_mc1', 'truthfulqa_mc2', 'crows_pairs_english', 'bbq', *(f'minerva_math_{name}' for name in SUBJECTS))
    if 'train' not in files and task in without: text['training_split'] = None
    if task == 'wikitext': text.update(training_split=None, validation_split=None)
    if task == 'arc_easy' or task == 'arc_challenge' or task == 'openbookqa': text['validation_split'] = None
    with open(f'{scratch}/{task}.yaml', 'w') as file: yaml.safe_dump(text, file)


def document(sample, differs):
    requests = [list(value.values()) if isinstance(value, dict) else list(value) for value in sample['arguments']]
    out = dict(h=sample['prompt_hash'][:16], t=sample['target_hash'][:16])
    flat = [answer[0] if isinstance(answer, list) else answer for answer in sample['resps']]
    if isinstance(flat[0], tuple) or isinstance(flat[0], list):
        out['ll'] = [round(float(answer[0]), 4) for answer in flat]
    elif isinstance(flat[0], str):
        out['text'] = flat
        out['out'] = sample['filtered_resps']
    else: out['ll'] = [round(float(answer), 3) for answer in flat]
    if any(differs(''.join(part for part in request if isinstance(part, str))) for request in requests): out['x'] = 1
    out['m'] = {key: sample[key] for key in sample['metrics'] if isinstance(sample[key], (int, float))}
    return out


def main(directory, rows, output, *tasks):
    processor = sentencepiece.SentencePieceProcessor(model_file=f'{directory}/tokenizer.model')
    model = HFLM(pretrained=directory, dtype='float32', batch_size=4, device='cpu', max_length=8192, softmax_dtype='float64')
    differs = lambda text: model.tok_encode(text) != [2] + processor.encode(text)
    result = dict(oracle=f'lm_eval {lm_eval.__version__}', tasks=[])
    for name in tasks:
        task, shots, *limit = name.split(':')
        with tempfile.TemporaryDirectory() as scratch:
            definition(task, rows, scratch)
            manager = lm_eval.tasks.TaskManager(include_path=scratch, include_defaults=False)
            answer = lm_eval.simple_evaluate(
                model=model, tasks=[task], num_fewshot=int(shots), task_manager=manager, log_samples=True, limit=int(limit[0]) if limit else None,
                confirm_run_unsafe_code=True, cache_requests=False)
        filters = {}
        for sample in answer['samples'][task]: filters.setdefault(sample['filter'], []).append(sample)
        figures = {key: value for key, value in answer['results'][task].items() if isinstance(value, (int, float)) and ',' in key and not math.isnan(value)}
        result['tasks'].append(dict(
            task=task, shots=int(shots), metrics=figures,
            filters={key: [document(sample, differs) for sample in sorted(samples, key=lambda s: s['doc_id'])] for key, samples in filters.items()}))
        print(task, shots, figures, file=sys.stderr, flush=True)
        with open(output, 'w', encoding='utf-8') as file: json.dump(result, file, ensure_ascii=False, separators=(',', ':'))


def brief_document(item, values):
    short = lambda number: f'{number:.4f}'.rstrip('0').rstrip('.')
    answers = [str(round(-1000 * number)) for number in item.get('ll', [])]
    answers += [hashlib.sha256(text.encode()).hexdigest()[:8] for text in item.get('text', [])]
    return ' '.join([item['h'][:8], *['x'] * ('x' in item), *answers, '|', *[short(item['m'][name]) for name in values]])


def brief(inputs, output):
    tasks, oracle = [], None
    for path in inputs:
        whole = json.load(open(path, encoding='utf-8'))
        oracle = whole['oracle']
        for run in whole['tasks']:
            values = sorted({name for items in run['filters'].values() for item in items for name in item['m']})
            kind = 'texts' if any('text' in item for items in run['filters'].values() for item in items) else 'likelihoods'
            filters = {key: [brief_document(item, values) for item in items] for key, items in run['filters'].items()}
            tasks.append(dict(task=run['task'], shots=run['shots'], metrics=run['metrics'], values=values, kind=kind, filters=filters))
    with open(output, 'w', encoding='utf-8') as file: json.dump(dict(oracle=oracle, tasks=tasks), file, ensure_ascii=False, separators=(',', ':'))


if __name__ == '__main__':
    if sys.argv[1] == 'brief': sys.exit(brief(sys.argv[2:-1], sys.argv[-1]))
    main(*sys.argv[1:])
