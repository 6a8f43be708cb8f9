"""What lm-evaluation-harness makes of answers that are given here: programs, mathematics, votes, several right choices.

    python3 tools/evaluation_answer_goldens.py rows ../shared/data Tests/Goldens/evaluation/rows
    python3 tools/evaluation_answer_goldens.py answers Tests/Goldens/evaluation/rows Tests/Goldens/evaluation/answers.json
    python3 tools/evaluation_answer_goldens.py mathematics ../shared/data Tests/Goldens/evaluation/mathematics.json

Oracle: lm_eval 0.4.13 with its `math` extra and antlr4-python3-runtime 4.11. `rows` cuts a few rows from HumanEval, MBPP and MATH and makes
up some in AGIEval's form. `answers` runs lm-eval's own task files over them with a model that gives the answers below, right, wrong and
broken ones; the one thing that is not lm-eval's is the metric `code_eval`, which it would fetch: programs run here in a process
of their own for 3 s, as that does. `mathematics` asks lm-eval's functions for MATH and AGIEval about pairs of answers."""
import hashlib, json, math, os, random, re, subprocess, sys, tempfile
os.environ.update(HF_HUB_OFFLINE='1', HF_DATASETS_OFFLINE='1', HF_ALLOW_CODE_EVAL='1')

SUBJECTS = {'Algebra': 'algebra', 'Counting & Probability': 'counting_and_prob', 'Geometry': 'geometry', 'Intermediate Algebra': 'intermediate_algebra',
            'Number Theory': 'num_theory', 'Prealgebra': 'prealgebra', 'Precalculus': 'precalc'}
AGIEVAL = {
    'aqua_rat': [('A train covers 120 miles in 2 hours. What is its speed in miles per hour?', ['(A)40', '(B)60', '(C)80', '(D)100', '(E)120'], [1]),
                 ('Half of a number is 9. What is the number?', ['(A)9', '(B)12', '(C)18', '(D)27', '(E)36'], [2])],
    'lsat_lr': [('All the chairs in the hall are wooden. Which statement must be true?', ['(A)No chair in the hall is of steel.', '(B)Tables are wooden.', '(C)The hall is old.', '(D)Some chairs are red.', '(E)Every hall has chairs.'], [0]),
                ('Which of these words names a fruit?', ['(A)pear', '(B)hammer', '(C)plum', '(D)river', '(E)door'], [0, 2])],
    'sat_math': [('If x + 3 = 10, what is x?', ['(A)3', '(B)7', '(C)10', '(D)13'], [1])],
}
CLOZE = [('What is half of one quarter?', '$\\frac{1}{8}$'), ('Solve x + 2 = 5.', '$x=3$'), ('How many sides has a square?', '4'), ('Give the square root of 12.', '$2\\sqrt{3}$')]


def read(path): return [json.loads(line) for line in open(path, encoding='utf-8')]


def rows(data, output):
    def save(folder, split, lines):
        os.makedirs(f'{output}/{folder}', exist_ok=True)
        with open(f'{output}/{folder}/{split}.jsonl', 'w', encoding='utf-8') as file:
            for line in lines: file.write(json.dumps(line, ensure_ascii=False) + '\n')
    save('humaneval', 'test', [row for row in read(f'{data}/humaneval/test.jsonl') if len(json.dumps(row)) < 1500][:7])
    save('mbpp', 'test', [row for row in read(f'{data}/mbpp/all.jsonl') if 11 <= row['task_id'] <= 30][:6])
    problems = [row for row in read(f'{data}/math/test-1000.jsonl') if len(json.dumps(row)) < 900 and '[asy]' not in row['problem']]
    save('math', 'test', [row for subject in SUBJECTS for row in [row for row in problems if row['type'] == subject][:2]])
    for name, questions in AGIEVAL.items():
        save(f'agieval/{name}', 'test', [dict(query=f'Q: {q} Answer Choices: {" ".join(choices)}\nA: Among A through E, the answer is', choices=choices, gold=gold)
                                         for q, choices, gold in questions])
    save('agieval/math', 'test', [dict(query=f'Q: {q}\nA: The answer is', answer=answer) for q, answer in CLOZE])


def run_program(program):
    """Whether a program ends well within 3 s."""
    code = 'import sys; exec(compile(sys.stdin.read(), "<program>", "exec"), {})'
    guarded = f'import sys\ntry:\n    {code}\nexcept BaseException: sys.exit(1)'
    try: return subprocess.run([sys.executable, '-I', '-c', guarded], input=program.encode(), capture_output=True, timeout=3).returncode == 0
    except subprocess.TimeoutExpired: return False


class Programs:
    def compute(self, references, predictions, k=(1,), **_):
        return [{f'pass@{n}': sum(any(run_program(p + '\n' + test) for p in several) for several, test in zip(predictions, references)) / len(references) for n in k}]


def answer(task, doc, index, draw):
    """Right, wrong and broken answers."""
    if task == 'humaneval':
        return [doc['canonical_solution'], '    return None\n', '    return (\n', '    while True: pass\n', '    raise SystemExit(0)\n',
                '    import math, re, collections\n' + doc['canonical_solution'], '    print("x")\n' + doc['canonical_solution']][index % 7]
    if task == 'mbpp':
        return [doc['code'] + '\n', 'def f(): return 1\n', doc['code'].replace('return', 'return not'), doc['code'] + '\nimport os\n'][index % 4]
    if task.startswith('minerva_math'):
        box = re.search(r'\\boxed\{(.*)\}', doc['solution'])
        given = box.group(1) if box else '0'
        return [f'So it is.\nFinal Answer: The final answer is ${given}$. I hope it is correct.', f'Final Answer: The final answer is ${given}+1$. I hope',
                'It is $' + given + '$.'][index % 3]
    if task.startswith('bbh'):
        return [f' A reason. So the answer is {doc["target"]}.', ' So the answer is maybe.', ' I do not know.'][index % 3]
    if task == 'agieval_math': return [f' {doc["answer"]}', ' $3$.', ' x = 4.', ' \\boxed{2\\sqrt3}', ' none'][index % 5]
    number = doc['answer'].split('####')[-1].strip()
    choices = [f' First this. The answer is {number}.', f' The answer is {int(number.replace(",", "")) + 1}.', f' So ${number}. The answer is ${number}.', ' I do not know.',
               f' The answer is {number}']
    if task == 'gsm8k_cot': return choices[index % 5]
    random.seed(1000 * index + draw)
    return random.choices(choices, [3, 4 if index % 2 else 2, 0, 1, 1])[0]


def answers(rows_path, output):
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import evaluate
    evaluate.load = lambda *_: Programs()
    import lm_eval, lm_eval.tasks, yaml
    from lm_eval.api.model import LM

    class Given(LM):
        def loglikelihood(self, requests):
            digest = lambda text: int(hashlib.sha256(text.encode()).hexdigest()[:6], 16)
            return [(-round(digest(''.join(request.args)) / 2**24 * 9 + 1, 4), False) for request in requests]
        def loglikelihood_rolling(self, requests): raise NotImplementedError
        def generate_until(self, requests):
            seen = {}
            out = []
            for request in requests:
                key = request.task_name, request.doc_id
                seen[key] = seen.get(key, -1) + 1
                out.append(answer(request.task_name, request.doc, request.doc_id, seen[key]))
            return out

    root = os.path.dirname(lm_eval.tasks.__file__)
    tasks = [('humaneval', 'humaneval/humaneval', 'humaneval', 0), ('mbpp', 'mbpp/mbpp', 'mbpp', 3), ('gsm8k_cot', 'gsm8k/gsm8k-cot', 'gsm8k', 8),
             ('gsm8k_cot_self_consistency', 'gsm8k/gsm8k-cot-self-consistency', 'gsm8k', 8), ('agieval_math', 'agieval/math', 'agieval/math', 0)]
    tasks += [(f'agieval_{name}', f'agieval/{name.replace("_", "-")}', f'agieval/{name}', 0) for name in AGIEVAL]
    tasks += [(f'minerva_math_{name}', f'minerva_math/minerva_math_{name}', 'math', 4) for name in SUBJECTS.values()]
    tasks.append(('bbh_cot_fewshot_sports_understanding', 'bbh/cot_fewshot/sports_understanding', 'bbh', 3))
    result = dict(oracle=f'lm_eval {lm_eval.__version__}', tasks=[])
    for task, path, folder, shots in tasks:
        with tempfile.TemporaryDirectory() as scratch:
            lines = read(f'{rows_path}/{folder}/test.jsonl')
            if folder == 'math': lines = [line for line in lines if f'minerva_math_{SUBJECTS[line["type"]]}' == task]
            if folder == 'bbh': lines = [line for line in lines if task.endswith(line['task'])]
            with open(f'{scratch}/rows.jsonl', 'w') as file:
                for line in lines: file.write(json.dumps(line) + '\n')
            text = dict(include=f'{root}/{path}.yaml', task=task, dataset_path='json', dataset_name=None, training_split=None,
                        dataset_kwargs=dict(data_files=dict(test=f'{scratch}/rows.jsonl')))
            with open(f'{scratch}/{task}.yaml', 'w') as file: yaml.safe_dump(text, file)
            manager = lm_eval.tasks.TaskManager(include_path=scratch, include_defaults=False)
            given = lm_eval.simple_evaluate(model=Given(), tasks=[task], num_fewshot=shots, task_manager=manager, log_samples=True, confirm_run_unsafe_code=True)
        filters = {}
        for sample in sorted(given['samples'][task], key=lambda sample: sample['doc_id']):
            flat = [part for several in sample['resps'] for part in (several if isinstance(several, list) else [several])]
            document = dict(i=sample['doc_id'], h=sample['prompt_hash'][:16], t=sample['target_hash'][:16])
            if isinstance(flat[0], str): document['text'] = flat
            else: document.update(ll=[float(part[0]) for part in flat], g='0' * len(flat))
            document['m'] = {key: float(sample[key]) for key in sample['metrics'] if key != 'math_verify'}
            filters.setdefault(sample['filter'], []).append(document)
        figures = {key: value for key, value in given['results'][task].items() if isinstance(value, (int, float)) and ',' in key and 'math_verify' not in key
                   and not math.isnan(value)}
        result['tasks'].append(dict(task=task, shots=shots, metrics=figures, filters=filters))
        print(task, figures, flush=True)
    with open(output, 'w', encoding='utf-8') as file: json.dump(result, file, ensure_ascii=False, separators=(',', ':'))


def mathematics(data, output):
    from lm_eval.tasks.minerva_math import utils as minerva
    from lm_eval.tasks.agieval import utils as agieval
    from sympy import N, expand, latex, nsimplify
    from sympy.parsing.latex import parse_latex
    random.seed(5)
    boxes = [minerva.remove_boxed(minerva.last_boxed_only_string(row['solution'])) for row in read(f'{data}/math/test-1000.jsonl')]
    boxes = sorted({box for box in boxes if len(box) < 80})
    forms = [(box, minerva.normalize_final_answer(box)) for box in boxes]
    forms += [(text, minerva.normalize_final_answer(text)) for text in ['12 inches', '5\\text{ cm}', '\\$1,200', '3,4', '1,234,567', '\\frac12', '\\sqrt[3]8', 'x=\\text{m} 5',
              '\\left(1,2\\right)', '90^\\circ', 'an integer', '2\\pi cm', '\\text{and}', '', '=', '\\boxed{7}', '$a$ or $b$', '\\ 5 \\;6', '12 sue', '\\textbf{(B) }4']]
    answers = [form for _, form in forms if not form.lstrip('-').isdigit()]
    pairs = []
    for form in answers:
        others = [random.choice(answers), form + '+0', f'({form})', form.replace(' ', '')]
        try:
            value = parse_latex(form)
            others += [latex(expand(value)), str(N(value, 15)), latex(nsimplify(value) / 2 * 2)]
        except Exception: pass
        pairs += [(form, other) for other in others if len(other) < 120]
    pairs = random.sample(sorted(set(pairs)), 700)
    pairs += [('1,2', '1,3'), ('x(x+1)', 'x(1+x)'), ('x(x+1)', 'x^2+x'), ('0.5', '\\frac{1}{2}'), ('12', '12.0'), ('\\sin^2x+\\cos^2x', '1'), ('2^{10}', '1024'), ('5!', '120'),
              ('\\sqrt{8}', '2\\sqrt{2}'), ('\\log_{2}8', '3'), ('|{-3}|', '3'), ('\\binom{5}{2}', '10'), ('x\\le5', 'x\\le5+0'), ('abc', 'cba'), ('\\infty', '\\infty+1'), ('', ''),
              ('1/0', '1/0+1'), ('e^{i\\pi}', '-1'), ('\\sqrt{-4}', '2\\sqrt{-1}'), ('\\sqrt[3]{27}', '3'), ('3\\times10^2', '300'), ('6\\div2', '3'), ('x_1+x_2', 'x_2+x_1'),
              ('\\ln(2)', '\\ln2'), ('\\tan(45)', '\\tan45'), ('10^6', '1000000'), ('1,000', '1000'), ('2x', 'x2')]
    same = [(a, b, int(minerva.is_equiv(a, b))) for a, b in pairs]
    texts = [box for box in boxes if not box.isdigit()][::9] + [f'the answer is ${box}$' for box in boxes[::31]]
    cloze = [(a, b) for a in texts for b in (a.replace('\\dfrac', '\\frac'), '$' + a + '$', '\\boxed{' + a + '}', random.choice(texts), a + ' = 3')]
    cloze += [('1/2', '$\\frac{1}{2}$'), ('0.5', '$\\frac12$'), ('none', 'nothing'), ('5', 'nothing'), ('$\\sqrt3$', '$\\sqrt{3}$'), ('$3\\text{ cm}$', '3'), ('.5', '0.5'),
              ('x = 4.', '$x=4$'), ('\\fbox{3}', '3'), ('$5\\%$', '5'), ('$90^{\\circ}$', '90'), ('a\\text{ b}\\text{ c}', 'a')]
    cloze = [(a, b, int(agieval.is_equiv(a, b))) for a, b in cloze]
    with open(output, 'w', encoding='utf-8') as file:
        json.dump(dict(normalized=forms, equal=same, cloze=cloze), file, ensure_ascii=False, separators=(',', ':'))
    print(len(forms), len(same), sum(e for *_, e in same), len(cloze), sum(e for *_, e in cloze))


if __name__ == '__main__':
    dict(rows=rows, answers=answers, mathematics=mathematics)[sys.argv[1]](*sys.argv[2:])
