"""What lm-evaluation-harness makes of answers that are given here: programs, mathematics, votes, several right choices.

    python3 tools/evaluation_answer_goldens.py rows ../shared/data Tests/Goldens/evaluation/rows
    python3 tools/evaluation_answer_goldens.py answers Tests/Goldens/evaluation/rows Tests/Goldens/evaluation/answers.json
    python3 tools/evaluation_answer_goldens.py mathematics ../shared/data Tests/Goldens/evaluation/mathematics.json
    python3 tools/evaluation_answer_goldens.py verification ../shared/data CASES.json
    python3 tools/evaluation_answer_goldens.py rewritten ../shared/data REWRITTEN.json
    python3 tools/evaluation_answer_goldens.py verification_sample CASES.json REWRITTEN.json Tests/Goldens/evaluation/verification.json

Oracle: lm_eval 0.4.13 with its `math` extra and antlr4-python3-runtime 4.11. `rows` cuts a few rows from HumanEval, MBPP and MATH and makes
up some in AGIEval's form. `answers` runs lm-eval's own task files over them with a model that gives the answers below, right, wrong and
broken ones; the one thing that is not lm-eval's is the metric `code_eval`, which it would fetch: programs run here in a process
of their own for 3 s, as that does. `mathematics` asks lm-eval's functions for MATH and AGIEval about pairs of answers. `verification` asks math_verify
(0.9.0, latex2sympy2_extended 1.11.0, sympy 1.14.0), as lm-eval's metric of that name does, about every solution of MATH against itself and against answers as
models give them, `rewritten` about other forms of its answers and formulas; `verification_sample` keeps some hundreds of short ones of both."""
import hashlib, json, math, os, random, re, signal, subprocess, sys, tempfile, time
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
            document['m'] = {key: float(sample[key]) for key in sample['metrics']}
            filters.setdefault(sample['filter'], []).append(document)
        figures = {key: value for key, value in given['results'][task].items() if isinstance(value, (int, float)) and ',' in key and not math.isnan(value)}
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


CONSTRUCTS = [
    # What the solution says, and answers to it.
    ('$5$', ['5', '5.0', '$5.0$', '$5.0000001$', '$5.00000001$', '$\\frac{10}{2}$', '10/2', '$2(3)$', '5%', '$5\\%$', '$5$%', '$5$ percent', '5 apples', '$x=5$', '$x=6$', '\\boxed{5}', '$5, 6$',
             'five', '', '$$5$$', '\\[5\\]', '\\(5\\)', 'It is [ 5 ] here', '$\\sqrt{25}$', '$5!$', '$|{-5}|$', '$\\lfloor 5.9\\rfloor$', '$\\lceil 4.1\\rceil$', '$\\binom{5}{1}$', '$\\log_2 32$',
             '$\\max(3,5)$', '$\\gcd(10,15)$', '$5_8$', '$5^\\circ$', '$5\\text{ cm}$', '$5\\text{ cm}^2$', '$5 kg$', '\\$5', '$005$', '$\\{5\\}$', '$(5)$', '$[5]$', '$\\text{five}$']),
    ('$-5$', ['-5', '$-5$', '- 5', '$- 5$', '−5', '$5$', '-5.0', '-05', '$-\\frac{10}{2}$']),
    ('$\\frac{1}{3}$', ['1/3', '0.333333', '0.3333333333', '0.33', '$\\frac13$', '\\frac{1}{3}', '-\\frac{1}{3}', '$\\frac{2}{6}$', '$.333333$', '33.3333%', '$3^{-1}$', '1 : 3', '$1:3$', '0,333333']),
    ('$0.5$', ['1/2', '0.5', '.5', '$\\frac12$', '50%', '$50\\%$', '50 percent', '$0,5$']),
    ('$\\frac{7}{2}$', ['$3\\frac{1}{2}$', '$3.5$', '3 1/2', '$-3\\frac{1}{2}$', '$3 \\frac12$', '7/2', '(7)/(2)']),
    ('$1,234$', ['1234', '1,234', '$1234$', '$1{,}234$', '$1, 234$', '$1,235$', '1 234', '$1,\\!234$', '1,234.0', '\\$1,234']),
    ('$\\sqrt{8}$', ['$2\\sqrt{2}$', '$2\\sqrt2$', '2.828427', '2.82843', '$8^{1/2}$', '$\\sqrt[4]{64}$', '$\\sqrt 8$', 'sqrt(8)', '2sqrt(2)', '$\\sqrt{2}\\cdot 2$']),
    ('$2\\pi$', ['6.283185', '6.28', '$2\\pi$', '2π', '$2π$', '$\\pi\\cdot2$', '2*pi', '$2\\pi\\text{ cm}$', '$\\frac{4\\pi}{2}$']),
    ('$x^2-1$', ['$(x-1)(x+1)$', '$(x+1)(x-1)$', '$x^2 - 1$', '$x^{2}-1$', '$-1+x^2$', '$y^2-1$', '$x^2+1$', 'x^2-1', '$X^2-1$', '$f(x)=x^2-1$', '$y=x^2-1$', '$x^2-1=0$', '$\\left(x-1\\right)\\left(x+1\\right)$']),
    ('$y=2x+3$', ['$2x-y+3=0$', '$y = 2x + 3$', '$2x+3$', '$y=3+2x$', '$y=2x+4$', '$x=2y+3$', '$2y=4x+6$', '$3=y-2x$', '$4x-2y=-6$']),
    ('$2x+y=6$', ['$y=6-2x$', '6', '$6$', '$4x+2y=12$', '$6=2x+y$', '$2x+y$']),
    ('$x=5$', ['5', '$5$', '$y=5$', '$x=6$', '$x=y=5$', '$5=x$', '$x\\in\\{5\\}$', '$x = 2+3$']),
    ('$(1,2)$', ['$1,2$', '$(1, 2)$', '$[1,2]$', '$\\{1,2\\}$', '$(2,1)$', '$\\left(1,2\\right)$', '$(1.0,2.0)$', '(1,2)', '$1<x<2$', '$(x,y)=(1,2)$', '$x=1,y=2$', '$1$ and $2$', '$(1;2)$', '$(1,2]$', '1, 2']),
    ('$(3,1)$', ['$3,1$', '$1,3$', '$(1,3)$', '$(3,1)$', '$\\{1,3\\}$', '$(x,y)=(3,1)$', '$[3,1]$']),
    ('$(1,2,3)$', ['$1,2,3$', '$(1,2,3)$', '$(3,2,1)$', '$3,2,1$', '$\\{1,2,3\\}$', '$(1,2)$', '$[1,2,3]$', '$(1, 2.0, \\frac{6}{2})$']),
    ('$\\{1,2,3\\}$', ['$3,2,1$', '$\\{3,1,2\\}$', '$1,2$', '1, 2, 3', '$1$, $2$ and $3$', '$1,2\\text{ and }3$', '$(1,2,3)$', '$1;2;3$', '$\\{1,2,4\\}$', '$x=1,2,3$', '$x=1,x=2,x=3$', '$x\\in\\{1,2,3\\}$']),
    ('$-2,3$', ['$3,-2$', '$x=-2,x=3$', '$x=-2$ or $x=3$', '$\\{-2,3\\}$', '$-2$ and $3$', '$2,3$', '$-2\\text{ or }3$', '$-2 and 3$']),
    ('$\\pm\\sqrt{2}$', ['$\\sqrt{2},-\\sqrt{2}$', '$-\\sqrt2,\\sqrt2$', '$\\sqrt{2}$', '$x=\\pm\\sqrt{2}$', '1.414214, -1.414214']),
    ('$1\\pm\\sqrt{3}$', ['$1+\\sqrt3,1-\\sqrt3$', '$1-\\sqrt{3}, 1+\\sqrt{3}$', '$1\\pm\\sqrt3$', '$\\pm\\sqrt{3}+1$']),
    ('$[2,5)$', ['$[2,5)$', '$2\\le x<5$', '$x\\in[2,5)$', '$(2,5)$', '$[2,5]$', '$\\left[2,5\\right)$', '[2,5)', '$[2.0,5)$', '$[2, 10/2)$']),
    ('$x\\in[2,5)$', ['$[2,5)$', '$2\\le x<5$', '$x \\in [2, 5)$', '$y\\in[2,5)$']),
    ('$2\\le x<5$', ['$[2,5)$', '$2\\leq x < 5$', '$5>x\\ge2$', '$2<x<5$', '$x<5$', '$x\\in[2,5)$', '$x\\ge2,x<5$']),
    ('$x>3$', ['$(3,\\infty)$', '$3<x$', '$x>3$', '$x\\ge3$', '$x > 3.0$', '$2x>6$', '$x-3>0$', '3', '$x\\in(3,\\infty)$']),
    ('$x\\le-1$', ['$(-\\infty,-1]$', '$-1\\ge x$', '$x\\leq -1$', '$(-\\infty,-1)$']),
    ('$(-\\infty,2)\\cup(3,\\infty)$', ['$(-\\infty, 2) \\cup (3, \\infty)$', '$(3,\\infty)\\cup(-\\infty,2)$', '$(-\\infty,2]\\cup[3,\\infty)$', '$x<2,x>3$', '$x<2$ or $x>3$', '$x\\in(-\\infty,2)\\cup(3,\\infty)$',
      '$(-\\infty,1)\\cup[1,2)\\cup(3,\\infty)$', '$\\mathbb{R}\\setminus[2,3]$']),
    ('$(-\\infty,2)\\cup(2,\\infty)$', ['$\\mathbb{R}\\setminus\\{2\\}$', '$x\\ne2$', '$(2,\\infty)\\cup(-\\infty,2)$', '$\\mathbb{R}$']),
    ('$\\emptyset$', ['$\\emptyset$', '$\\{\\}$', '$\\varnothing$', '$0$', '\\text{empty}']),
    ('$\\mathbb{R}$', ['$\\mathbb{R}$', '$(-\\infty,\\infty)$', '$\\mathbb R$', '$\\mathbb{Z}$']),
    ('$\\{1,2\\}\\cup\\{3\\}$', ['$\\{1,2,3\\}$', '$1,2,3$', '$\\{3\\}\\cup\\{1,2\\}$']),
    ('$\\begin{pmatrix}1\\\\2\\end{pmatrix}$', ['$\\begin{pmatrix}1\\\\2\\end{pmatrix}$', '$\\begin{bmatrix} 1 \\\\ 2 \\end{bmatrix}$', '$\\begin{pmatrix}1\\\\2.0\\end{pmatrix}$', '$\\begin{pmatrix}2\\\\1\\end{pmatrix}$',
      '$\\begin{pmatrix}1&2\\end{pmatrix}$', '$(1,2)$', '$\\left[\\begin{matrix}1\\\\2\\end{matrix}\\right]$', '$\\begin{array}{c}1\\\\2\\end{array}$', '$\\begin{pmatrix}\\frac{2}{2}\\\\\\sqrt{4}\\end{pmatrix}$']),
    ('$\\begin{pmatrix}1&x\\\\0&1/2\\end{pmatrix}$', ['$\\begin{pmatrix}1&x\\\\0&\\frac12\\end{pmatrix}$', '$\\begin{bmatrix}1&x\\\\0&0.5\\end{bmatrix}$', '$\\begin{pmatrix}1&y\\\\0&1/2\\end{pmatrix}$']),
    ('$\\text{Evelyn}$', ['$\\text{Evelyn}$', 'Evelyn', '$Evelyn$', '$\\text{evelyn}$', '$\\mathrm{Evelyn}$', '$\\textbf{Evelyn}$', '\\boxed{Evelyn}', '\\boxed{\\text{Evelyn}}', '$\\text{Carla}$', 'The final answer is Evelyn. I hope']),
    ('$\\text{(C)}$', ['$\\text{C}$', '$C$', '$\\text{(C)}$', '(C)', 'C', '$(C)$', '$c$', '$\\textbf{(C)}$', '\\boxed{C}', '$B$', '$\\text{(B)}$']),
    ('$\\text{even}$', ['$\\text{odd}$', '$\\text{even}$', 'even', '$even$', '$neve$']),
    ('$50\\%$', ['50%', '$50$', '0.5', '$\\frac12$', '50 percent', '$50$%', '50']),
    ('$3+4i$', ['$3+4i$', '$4i+3$', '$3 + 4i$', '$3+4I$', '$3-4i$', '3+4i', '$3+4 i$', '$(3+4i)$', '$i\\cdot4+3$']),
    ('$1+i$', ['$1+i$', '$i+1$', '$1 + i$', '$1+1i$']),
    ('$\\infty$', ['$\\infty$', '$-\\infty$', 'infinity', '$infinity$']),
    ('$e^2$', ['$e^2$', '$e^{2}$', '7.389056', '$\\exp(2)$', '$e\\cdot e$', '$e$', '$E^2$']),
    ('$e$', ['$e$', '$E$', '2.718282', '$\\text{e}$', '$\\exp(1)$']),
    ('$\\ln 2$', ['$\\ln 2$', '$\\ln(2)$', '$\\log 2$', '0.693147', '$\\log_e 2$', '$\\frac{\\ln 4}{2}$', '$-\\ln\\frac12$']),
    ('$\\sin x\\cos x$', ['$\\frac{1}{2}\\sin 2x$', '$\\cos x\\sin x$', '$\\frac{\\sin(2x)}{2}$', '$\\sin x$', '$\\sin(x)\\cos(x)$']),
    ('$\\frac{\\pi}{6}$', ['$\\pi/6$', '$30^\\circ$', '$\\arcsin\\frac12$', '$\\arctan\\frac{1}{\\sqrt{3}}$', '0.523599', '$\\frac{1}{6}\\pi$', '$\\frac\\pi6$']),
    ('$\\sqrt{x^2}$', ['$|x|$', '$x$', '$\\sqrt{x^{2}}$']),
    ('$2^{10}$', ['1024', '$1024$', '$2^10$', '$4^5$', '$2^{11}$', '$1{,}024$']),
    ('$10^{30}$', ['$10^{30}$', '$10^{30}+1$', '1000000000000000000000000000000', '1000000000000000000000000000001', '$10^{15}\\cdot10^{15}$']),
    ('$5!$', ['120', '$120$', '$5!$', '$5\\cdot4\\cdot3\\cdot2$']),
    ('$12_5$', ['$12_5$', '12', '$12_{5}$', '$12$', '$7$', '$\\text{12}_5$']),
    ('$3:4$', ['$\\frac34$', '3:4', '$6:8$', '$3 : 4$', '0.75']),
    ('$12:30$', ['$12:30$', '$12{:}30$', '12:30', '$12:30\\text{ p.m.}$']),
    ('$\\frac{x}{2}$', ['$x/2$', '$\\frac12x$', '$0.5x$', '$\\frac{1}{2}x$', '$x\\div2$', '$1/2x$']),
    ('$f(x)=x^2$', ['$x^2$', '$f(x)=x^2$', '$f(t)=t^2$', '$y=x^2$']),
    ('$f^{-1}(x)=2x$', ['$2x$', '$f^{-1}(x)=2x$']),
    ('$\\overline{AB}$', ['$\\overline{AB}$', '$\\overline{BA}$', '$AB$', '$\\bar{AB}$']),
    ('$abc$', ['$abc$', '$cba$', '$a\\cdot b\\cdot c$', '$\\text{abc}$', '$\\text{cba}$', '$ABC$']),
    ('$a_1+a_2$', ['$a_1+a_2$', '$a_2+a_1$', '$a_{1}+a_{2}$', '$a_1+a_3$']),
    ('$90^\\circ$', ['$90^\\circ$', '$90^{\\circ}$', '90', '90 degrees', '$90\\text{ degrees}$', '$90°$', '$\\frac{\\pi}{2}$']),
    ('$\\$3.50$', ['3.50', '3.5', '\\$3.50', '$3.50$', '$\\$3.5$', '$7/2', '3.50 dollars', '€3.50']),
    ('No box and no mathematics.', ['5', '$5$', 'No box and no mathematics.']),
    ('\\boxed{5} and \\boxed{6}', ['$5,6$', '$6$', '$5$', '\\boxed{5}, \\boxed{6}', '\\boxed{5} or \\boxed{6}', '$6,5$']),
    ('$x = \\boxed{5}$', ['$5$', '$x=5$', '\\fbox{5}', '\\boxed{ 5 }', '\\boxed{5', '\\boxed 5', '$\\boxed{5}$', '\\boxed{x=5}', '\\[\\boxed{5}\\]', '\\boxed{5\\text{ units}}', '\\boxed{\\boxed{5}}', '\\boxed{}']),
]


def verified(solution, text):
    """What lm-eval's metric `math_verify` is for an answer to a row with this solution; None where time decides it.

    The library gives up after five seconds by the clock, so what took long is asked again: the first time pays for imports and caches, and on a
    busy machine `x + 1` was not in time to be equal to itself."""
    from math_verify import parse, verify
    for _ in range(3):
        start = time.monotonic()
        value = int(verify(gold=parse(solution), target=parse(text)))
        if time.monotonic() - start < 1: return value
    return None


def written(box, others):
    """How models may give an answer, right and wrong: texts around it, forms of it."""
    from latex2sympy2_extended.latex2sympy2 import NormalizationConfig, latex2sympy
    from sympy import N, Rational, expand, factor, latex
    texts = [f'So we are done.\nFinal Answer: The final answer is ${box}$. I hope it is correct.', f'The answer is ${box}$.', f'We get \\boxed{{{box}}}.', f'Thus it is {box}.',
             f'**Answer:** ${box}$', f'\\[ x = \\boxed{{{box}}} \\]', f'$$ {box} $$', f'The answer is \\( {box} \\).', f'First $2+2=4$, and so the result is ${box}$', f'Final Answer: The final answer is {box}. I hope it is correct.',
             f'The final answer is $\\boxed{{{box}}}$.\n\nProblem: $1+1$', f'Answer: {box}', f'$x = {box}$', f'$f(x) = {box}$, which is $9$', f'${box}\\text{{ cm}}$', f'${box}\\%$', f'${box}$%', f'${box}$ or $7$', f'$({box})$', f'$\\{{{box}\\}}$',
             f'\\boxed{{{box}+1}}', f'$-{box}$', f'$2\\cdot({box})$', f'${box}, 1$', f'The answer is ${random.choice(others)}$.', f'\\boxed{{{random.choice(others)}}}', f'$x\\le {box}$', f'${box} \\approx 3.14$',
             'I do not know.', 'The answer is 5.', 'We have $a$, then $b$, and then stop', f'the answer is {box}', f'Hence ${box}', f'${box[:-1]}$']
    texts += [f'$' + box.replace('\\dfrac', '\\frac').replace('\\left', '').replace('\\right', '') + '$', '$' + box.replace('\\frac', '\\dfrac') + '$', '$' + box.replace(' ', '') + '$',
              '$' + re.sub(r'\\d?frac\{(-?\w+)\}\{(\w+)\}', r'\1/\2', box) + '$', '$' + box.replace('x', 'y') + '$', '$' + re.sub(r'(\d)', lambda m: str((int(m[1]) + 1) % 10), box, count=1) + '$']
    if ',' in box: texts += ['$' + ','.join(reversed(box.split(','))) + '$', '$' + '$ and $'.join(box.split(',')) + '$', '$[' + box.strip('()[]') + ']$', '$' + box.strip('()[]') + '$', '$' + box.replace(',', ', ') + '$']
    if re.fullmatch(r'-?\d+', box): texts += [f'{box}.0', f'${box}.00$', f'{box} apples', f'${int(box) * 2}/2$', f'{box}%', f'$\\sqrt{{{int(box) ** 2}}}$', f'{int(box):,}', f'$\\{box}$']
    try:
        value = latex2sympy(box, is_real=True, normalization_config=NormalizationConfig(basic_latex=True, units=True, malformed_operators=True, nits=True))
        texts += [f'${latex(expand(value))}$', f'${latex(factor(value))}$', f'${latex(value.doit())}$', f'${latex(value + 0)}$']
        if value.is_number: texts += [str(N(value, digits)) for digits in (3, 5, 7, 8, 15)] + [f'${N(value, 8)}$', f'${latex(Rational(str(N(value, 4))))}$', f'${box} = {N(value, 6)}$']
    except Exception: pass
    return texts


def last_box(text):
    """What stands in the last box of a text."""
    start = text.rfind('\\boxed')
    inside, depth = text[start + 6:].lstrip(), 0
    for place, letter in enumerate(inside):
        depth += (letter == '{') - (letter == '}')
        if depth == 0: return inside[1:place] if inside[0] == '{' else inside.split('$')[0]
    return inside


def judge(cases, output):
    """Writes what math_verify says of (solution, text) pairs; those that it does not finish are left out."""
    golds = sorted({solution for solution, _ in cases})
    places = {solution: place for place, solution in enumerate(golds)}
    done = []
    for solution, text in cases:
        value = verified(solution, text)
        if value is not None: done.append((places[solution], text, value))
        if len(done) % 500 == 0: print(len(done), 'of', len(cases), flush=True)
    with open(output, 'w', encoding='utf-8') as file: json.dump(dict(solutions=golds, cases=done), file, ensure_ascii=False, separators=(',', ':'))
    print(len(done), sum(case[2] for case in done))


def verification(data, output):
    random.seed(11)
    solutions = [row['solution'] for row in read(f'{data}/math/test-1000.jsonl')]
    boxes = [last_box(solution) for solution in solutions]
    cases = [(solution, text) for solution, answers in CONSTRUCTS for text in answers + [solution]]
    for number, (solution, box) in enumerate(zip(solutions, boxes)):
        cases.append((solution, solution))
        texts = written(box, boxes)
        chosen = random.sample(texts, min(len(texts), 6)) + [solutions[(number * 7 + 1) % len(solutions)]] * (number % 5 == 0) + [solution.split('\\boxed')[0]] * (number % 4 == 0)
        cases += [(solution, text) for text in chosen]
        # What is as hard and not so long: the box alone.
        cases += [(f'${box}$', text) for text in random.sample(texts, 2)]
    judge(cases, output)


def rewritten(data, output, seed='21'):
    """Harder ones: other forms of the answers of MATH, and all that its authors wrote between dollar signs, against itself and others."""
    from latex2sympy2_extended.latex2sympy2 import NormalizationConfig, latex2sympy
    from sympy import N, apart, expand, factor, latex, simplify, together, trigsimp
    random.seed(int(seed))
    config = NormalizationConfig(basic_latex=True, units=True, malformed_operators=True, nits=True)
    rows = read(f'{data}/math/test-1000.jsonl')
    boxes = sorted({box for box in (last_box(row['solution']) for row in rows) if not re.fullmatch(r'-?\d+', box)})
    pieces = [piece for row in rows for piece in re.findall(r'(?<!\\)\$([^$\n]{2,70})(?<!\\)\$', row['solution'] + ' ' + row['problem'])]
    # sympy would compute these, and nobody would see the end of it.
    pieces = [piece for piece in pieces if not re.search(r'\^\{?\d{3,}|!|\^.*\^', piece)]
    cases = []

    def late(*_): raise TimeoutError

    def within(seconds, made):
        """What `made` makes, or None where it takes too long or cannot."""
        signal.signal(signal.SIGALRM, late)
        signal.alarm(seconds)
        try: return made()
        except Exception: return None
        finally: signal.alarm(0)

    def value(text): return within(3, lambda: latex2sympy(text, is_real=True, normalization_config=config))

    def forms(box):
        given, made = value(box), []
        for change in (expand, factor, together, simplify, apart, trigsimp, lambda x: x.doit(), lambda x: x * 1, lambda x: -(-x), lambda x: 2 * x / 2, lambda x: x + 1):
            made.append(within(3, lambda: f'${latex(change(given))}$'))
        for digits in (4, 6, 7, 9, 12): made += [within(3, lambda: str(N(given, digits))), within(3, lambda: f'${latex(N(given, digits))}$')]
        made = [text for text in made if text and 'None' not in text and 'nan' not in text]
        made += [f'${box}+0$', f'$1\\cdot {box}$', f'$({box})$', f'$-(-({box}))$', f'$\\frac{{2({box})}}{{2}}$', f'${box}^1$', '$' + box.replace('\\frac', '\\tfrac ') + '$',
                 '$ ' + ' '.join(box) + ' $' if '\\' not in box else '$' + box.replace('{', '{ ').replace('}', ' }') + '$']
        if ',' in box:
            parts = box.strip('()[]\\{}').split(',')
            random.shuffle(parts)
            joined = ','.join(parts)
            made += [f'${joined}$', f'$({joined})$', f'$\\{{{joined}\\}}$', f'$[{joined}]$', ' and '.join(f'${part}$' for part in parts), '$x=' + ', x='.join(parts) + '$']
        return made

    for box in boxes:
        made = forms(box)
        cases += [(f'${box}$', text) for text in random.sample(made, min(len(made), 7))]
    for piece in random.sample(pieces, 1500):
        other = random.choice(pieces)
        cases += [(f'${piece}$', f'${piece} $' if random.random() < .3 else f'$ \\left({piece}\\right) $'), (f'${piece}$', f'${other}$')]
        given = value(piece)
        written_again = within(3, lambda: f'${latex(given)}$') if given is not None else None
        if written_again: cases.append((f'${piece}$', written_again))
    judge(cases, output)


def verification_sample(cases_path, rewritten_path, output, most=700):
    """The constructs, and others of both kinds whose solution and answer are short."""
    random.seed(12)
    special = {solution for solution, _ in CONSTRUCTS}
    kept = []
    for path in (cases_path, rewritten_path):
        with open(path, encoding='utf-8') as file: whole = json.load(file)
        cases = [(whole['solutions'][place], text, value) for place, text, value in whole['cases']]
        kept += [case for case in cases if case[0] in special]
        short = sorted({case for case in cases if case[0] not in special and len(case[0]) < 45 and len(case[1]) < 80})
        kept += random.sample(short, min(len(short), most))
    golds = sorted({solution for solution, _, _ in kept})
    places = {solution: place for place, solution in enumerate(golds)}
    cases = sorted({(places[solution], text, value) for solution, text, value in kept})
    with open(output, 'w', encoding='utf-8') as file: json.dump(dict(solutions=golds, cases=cases), file, ensure_ascii=False, separators=(',', ':'))
    print(len(golds), len(cases), sum(case[2] for case in cases), os.path.getsize(output))


if __name__ == '__main__':
    dict(rows=rows, answers=answers, mathematics=mathematics, verification=verification, rewritten=rewritten, verification_sample=verification_sample)[sys.argv[1]](*sys.argv[2:])
