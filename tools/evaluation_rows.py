"""Rows of data for the goldens of evaluation, in the layout that `facet eval --data` reads.

    python3 tools/evaluation_rows.py small ../shared/data Tests/Goldens/evaluation/rows
    python3 tools/evaluation_rows.py large ../shared/data rows-large sources

`small` is what the repository holds: a dozen documents a task, cut from sets that may be shipped; rows of sets that may not,
or that are not at hand, are made up here. `large` has some hundreds of documents and stays outside. Fields that a set at
hand lacks (HellaSwag's activity, BoolQ's label, TruthfulQA's choices, Winogender's columns, TriviaQA's aliases) are derived, the same way in both.
`sources` holds the sets that are not at hand as public repositories have them (Tests/Goldens/PROVENANCE.md says which).
`large` writes WikiText's `<unk>` as X, since transformers reads a special token there."""
import json, os, re, shutil, sys

WINOGRANDE = [
    ("The trophy did not fit into the suitcase because the _ was too big.", "trophy", "suitcase", "1"),
    ("Nora lent her umbrella to Ines because _ had left hers on the train.", "Nora", "Ines", "2"),
    ("We ate the soup before the bread since the _ was getting cold.", "soup", "bread", "1"),
    ("The red paint covered the wall better than the blue paint, so we bought more of the _ one.", "red", "blue", "1"),
    ("Paul asked Erik for directions because _ knew the town well.", "Paul", "Erik", "2"),
    ("I put the lamp on the desk and not on the shelf because the _ was too high.", "desk", "shelf", "2"),
    ("The cat chased the mouse until the _ hid under the stairs.", "cat", "mouse", "2"),
    ("Mara found the film longer than the play, as the _ lasted three hours.", "film", "play", "1"),
    ("The bucket leaked into the bowl until the _ was full.", "bucket", "bowl", "2"),
    ("Tom thanked Ben for the ride, and _ waved from the car.", "Tom", "Ben", "2"),
    ("The road was safer than the path because the _ was lit.", "road", "path", "1"),
    ("Lena gave Ruth a map since _ was going to walk alone.", "Lena", "Ruth", "2"),
    ("The oak shaded the bench, so in summer the _ stayed cool.", "oak", "bench", "2"),
    ("He sold the boat and kept the bicycle because the _ cost too much to keep.", "boat", "bicycle", "1"),
    ("The glue held the wood but not the glass, as the _ was too smooth.", "wood", "glass", "2"),
    ("Anna taught Klara to swim because _ grew up by the sea.", "Anna", "Klara", "1"),
]
SOCIAL = [
    ("Robin missed the last bus and walked home in the rain.", "How would Robin feel afterwards?", "dry", "cold and tired", "well rested", "2"),
    ("Sasha baked a cake for the neighbours who had just moved in.", "Why did Sasha do this?", "to welcome them", "to sell it", "to hide it", "1"),
    ("Jordan forgot the key and rang the bell.", "What will Jordan want to do next?", "wait at the door", "sleep", "swim", "1"),
    ("Alex broke a cup and told everyone about it at once.", "How would you describe Alex?", "dishonest", "lazy", "honest", "3"),
    ("Kim studied all night for the exam.", "What will happen to Kim?", "Kim will be tired", "Kim will be hungry for snow", "Kim will be a pilot", "1"),
    ("Taylor gave up the seat to an old man.", "How would the old man feel?", "angry", "grateful", "bored", "2"),
    ("Casey turned the music down when the baby slept.", "Why did Casey do this?", "to wake the baby", "to hear better", "to let the baby sleep", "3"),
    ("Quinn lost the match but shook hands.", "How would you describe Quinn?", "a good loser", "a cheat", "a referee", "1"),
    ("Drew saw smoke and called for help.", "What will others want to do?", "go on sleeping", "put out the fire", "buy tickets", "2"),
    ("Lee sold the old car to buy a bicycle.", "What does Lee need to do before this?", "find a buyer", "ride home", "pump the tyres", "1"),
    ("Morgan spoke softly in the library.", "Why did Morgan do this?", "to be heard far away", "not to disturb others", "to win a prize", "2"),
    ("Jamie wrote a letter to a friend abroad.", "What will the friend want to do next?", "write back", "cut the grass", "close the shop", "1"),
    ("Sam watered the plants every day in June.", "What will happen to the plants?", "they will grow", "they will sing", "they will freeze", "1"),
    ("Pat hid the present in the cupboard.", "Why did Pat do this?", "to lose it", "to keep it a surprise", "to sell it", "2"),
    ("Chris trained for a year and ran the race.", "How would Chris feel as a result?", "proud", "ashamed", "asleep", "1"),
    ("Remy apologised for being late.", "How would you describe Remy?", "rude", "polite", "tall", "2"),
]
OPEN = [
    ("A magnet will attract", ["a wooden spoon", "an iron nail", "a glass cup", "a paper bag"], "B"),
    ("Plants make their food with the help of", ["sunlight", "moonlight", "thunder", "sand"], "A"),
    ("Ice turns into water when it is", ["cooled", "painted", "warmed", "weighed"], "C"),
    ("Which of these is a source of heat?", ["a lit candle", "a stone in the shade", "a mirror", "a book"], "A"),
    ("A bird's hollow bones help it to", ["swim deep", "fly", "dig", "sing"], "B"),
    ("The moon shines because it", ["burns gas", "reflects sunlight", "is made of ice", "spins fast"], "B"),
    ("Friction between the hands makes them", ["colder", "wetter", "warmer", "longer"], "C"),
    ("A fish breathes with", ["gills", "lungs", "leaves", "roots"], "A"),
    ("Recycling paper saves", ["sand", "trees", "salt", "wind"], "B"),
    ("The season with the shortest days is", ["summer", "spring", "autumn", "winter"], "D"),
    ("Sound travels to the ear through", ["the air", "a wall of nothing", "light", "the sun"], "A"),
    ("An animal that eats only plants is a", ["carnivore", "herbivore", "predator", "scavenger"], "B"),
    ("A seed needs, to begin to grow,", ["water", "wind from the north", "a pot of gold", "music"], "A"),
    ("Rust forms on iron that is left", ["in a dry box", "in oil", "in the rain", "in a vacuum"], "C"),
    ("A thermometer measures", ["weight", "temperature", "length", "speed"], "B"),
    ("The planet that we live on is", ["Mars", "Venus", "Earth", "Saturn"], "C"),
]
TRIVIA = [
    ("Which planet is known as the Red Planet", ["Mars", "planet Mars"]), ("What is the capital of Italy", ["Rome", "Roma"]),
    ("Who wrote 'Hamlet'", ["William Shakespeare", "Shakespeare"]), ("What is the largest ocean", ["Pacific Ocean", "the Pacific"]),
    ("How many legs has a spider", ["8", "eight"]), ("In which country is the city of Kyoto", ["Japan"]),
    ("What gas do plants take in", ["carbon dioxide", "CO2"]), ("Which metal has the symbol Fe", ["iron"]),
    ("Who painted the Mona Lisa", ["Leonardo da Vinci", "Leonardo"]), ("What is the longest river of Africa", ["Nile", "The Nile"]),
    ("Which language is spoken in Brazil", ["Portuguese"]), ("What is the freezing point of water in degrees Celsius", ["0", "zero"]),
    ("Which animal is the largest on Earth", ["blue whale", "the blue whale"]), ("What is H2O commonly called", ["water"]),
    ("On which continent lies Egypt", ["Africa"]), ("Who discovered penicillin", ["Alexander Fleming", "Fleming"]),
    ("What is the capital of France", ["Paris"]), ("How many days has a week", ["seven", "7"]),
    ("Which bird is a symbol of peace", ["dove", "the dove"]), ("What colour is an emerald", ["green"]),
]
PRONOUNS = {'male': ('he', 'him', 'his'), 'female': ('she', 'her', 'her'), 'neutral': ('they', 'them', 'their')}


def read(root, name):
    return [json.loads(line) for line in open(f'{root}/{name}.jsonl', encoding='utf-8')]


def hellaswag(row):
    """Activity and the two halves of the context, which the set at hand joins."""
    first, dot, rest = row['ctx'].partition('. ')
    activity = ' '.join(row['ctx'].replace('[header]', '').split()[:3])
    return dict(activity_label=activity, ctx_a=first + dot.strip(), ctx_b=rest, endings=row['endings'], label=str(row['label']))


def truthful(row):
    split = lambda key: [part.strip() for part in row[key].split(';') if part.strip()]
    best, right, wrong = row['Best Answer'], split('Correct Answers'), split('Incorrect Answers')
    return dict(question=row['Question'], mc1_targets=dict(choices=[best] + wrong, labels=[1] + [0] * len(wrong)),
                mc2_targets=dict(choices=right + wrong, labels=[1] * len(right) + [0] * len(wrong)))


def winogender(root):
    answers = {}
    for line in list(open(f'{root}/winogender/templates.tsv'))[1:]:
        occupation, participant, answer, sentence = line.rstrip('\n').split('\t')
        answers[occupation, participant, answer] = sentence
    rows = []
    for line in list(open(f'{root}/winogender/all_sentences.tsv'))[1:]:
        identity, sentence = line.rstrip('\n').split('\t')
        occupation, participant, answer, gender, _ = identity.split('.')
        template = answers[occupation, participant, answer] if participant != 'someone' else next(
            text for (job, _, right), text in answers.items() if (job, right) == (occupation, answer))
        kind = 0 if '$NOM_PRONOUN' in template else 1 if '$ACC_PRONOUN' in template else 2
        rows.append(dict(sentid=identity, sentence=sentence, pronoun=PRONOUNS[gender][kind], occupation=occupation,
                         participant=participant, gender=gender, label=int(answer)))
    return rows


def wikitext(root, most):
    """Articles, as the document-level form has them."""
    pages, page = [], ''
    for line in open(f'{root}/wikitext2/valid.txt', encoding='utf-8'):
        if line.startswith(' = ') and not line.startswith(' = = ') and page.strip():
            pages.append(page)
            page = ''
        page += line
    return [dict(page=page[:most]) for page in pages + [page]]


def invented(name):
    if name == 'winogrande': return [dict(sentence=s, option1=a, option2=b, answer=k) for s, a, b, k in WINOGRANDE]
    if name == 'social_iqa': return [dict(context=c, question=q, answerA=a, answerB=b, answerC=d, label=k) for c, q, a, b, d, k in SOCIAL]
    if name == 'openbookqa': return [dict(id=str(i), question_stem=q, choices=dict(text=t, label=list('ABCD')), answerKey=k) for i, (q, t, k) in enumerate(OPEN)]
    return [dict(question=q, answer=dict(value=a[0], aliases=a)) for q, a in TRIVIA]


def winogrande(row):
    sentence, options = re.fullmatch(r'Please choose [^:]*: (.*)\n\nOption1: (.*) Answer format: .*', row['instruction'], re.S).groups()
    first, second = options.split(' Option2: ')
    return dict(sentence=sentence, option1=first, option2=second, answer=row['answer'][-1])


def social(row):
    return dict(context=row['context'], question=row['question'], **dict(zip(('answerA', 'answerB', 'answerC'), row['options'])),
                label=str(row['options'].index(row['answer']) + 1))


def openbook(line):
    number, question, choices, _, key = line.rstrip('\n').split('\t')
    texts = re.fullmatch(r'\(A\) (.*) \(B\) (.*) \(C\) (.*) \(D\) (.*)', choices).groups()
    return dict(id=number, question_stem=question, choices=dict(text=list(texts), label=list('ABCD')), answerKey=key)


def agieval(row):
    """As AGIEval asks without examples."""
    query = f"{row['passage'] or ''}Q: {row['question']}"
    if not row['options']: return dict(query=f'{query}\nA: The answer is', answer=row['answer'])
    query += f" Answer Choices: {' '.join(row['options'])}\nA: Among A through {chr(64 + len(row['options']))}, the answer is"
    return dict(query=query, choices=row['options'], gold=['ABCDE'.index(row['label'])])


def sourced(folder):
    """Task → split → rows of sets that are not at hand."""
    lines = lambda name: list(open(f'{folder}/{name}', encoding='utf-8'))
    split = lambda documents, examples, rows: {documents: rows[:200], examples: rows[200:1000]}
    out = dict(winogrande=split('validation', 'train', [winogrande(row) for row in json.load(open(f'{folder}/winogrande.json'))]),
               social_iqa=split('validation', 'train', [social(json.loads(line)) for line in lines('social_iqa.jsonl')]),
               openbookqa=split('test', 'train', [openbook(line) for line in lines('openbookqa-test.tsv')[1:] + lines('openbookqa-train.tsv')[1:]]))
    for name, most in ('aqua-rat', 60), ('sat-math', 60), ('logiqa-en', 40), ('lsat-lr', 30), ('math', 20):
        out['agieval/' + name.replace('-', '_')] = dict(test=[agieval(json.loads(line)) for line in lines(f'agieval/{name}.jsonl')[:most]])
    return out


def tables(root, size):
    """Task → split → rows."""
    small = size == 'small'
    n, pool = (10, 14) if small else (200, 2000)
    short = lambda rows, most: [row for row in rows if len(json.dumps(row)) <= most] if small else rows
    arc, arc_train = read(root, 'arc_easy/test'), read(root, 'arc_easy/train')
    piqa = read(root, 'piqa/validation')
    boolq = [dict(row, label=int(row['answer'])) for row in short(read(root, 'boolq/validation'), 700)]
    csqa, nq, gsm, gsm_train = read(root, 'commonsense_qa/train'), read(root, 'nq_open/validation'), read(root, 'gsm8k/test'), read(root, 'gsm8k/train')
    subjects = ['abstract_algebra', 'high_school_geography', 'philosophy', 'nutrition']
    few = 4 if small else 50
    bbh = ['boolean_expressions', 'navigate', 'word_sorting', 'hyperbaton', 'sports_understanding']
    bbq = read(root, 'bbq/test-6-categories')
    out = {
        'arc_easy': dict(test=arc[:n], train=arc_train[:pool + 14]),
        'arc_challenge': dict(test=arc[n:2 * n], train=arc_train[60:60 + pool]),
        'piqa': dict(validation=short(piqa, 400)[:n], train=short(piqa, 400)[n + 900 if not small else n:][:pool]),
        'boolq': dict(validation=boolq[:n], train=boolq[n:n + min(pool, 14)]),
        'social_iqa': dict(validation=invented('social_iqa')[:8], train=invented('social_iqa')[8:]),
        'winogrande': dict(validation=invented('winogrande')[:8], train=invented('winogrande')[8:]),
        'openbookqa': dict(test=invented('openbookqa')[:8], train=invented('openbookqa')[8:]),
        'hellaswag': dict(validation=[hellaswag(row) for row in short(read(root, 'hellaswag/validation-2000'), 900)[:n]],
                          train=[hellaswag(row) for row in short(read(root, 'hellaswag/validation-2000'), 900)[n:n + min(pool, 60)]]),
        'commonsense_qa': dict(validation=csqa[:n], train=csqa[n:n + pool]),
        'mmlu': dict(test=[row for s in subjects for row in [r for r in read(root, 'mmlu/test') if r['subject'] == s][:few]],
                     dev=[row for row in read(root, 'mmlu/dev') if row['subject'] in subjects]),
        'truthfulqa': dict(validation=[truthful(row) for row in read(root, 'truthfulqa/validation')[:n if small else 150]]),
        'crows_pairs': dict(test=read(root, 'crows_pairs/test')[:n]),
        'bbq': dict(test=bbq[:4] + bbq[4000:4004] + bbq[-4:] if small else bbq[::60]),
        'winogender': dict(test=winogender(root)[:12 if small else 200]),
        'wikitext': dict(test=wikitext(root, 1500)[:3] if small else [dict(page=row['page'].replace('<unk>', 'X')) for row in wikitext(root, 6000)[:20]]),
        'nq_open': dict(validation=nq[:8 if small else 200], train=nq[40:40 + pool] if small else nq[200:200 + pool]),
        'triviaqa': dict(validation=invented('triviaqa')[:8], train=invented('triviaqa')[8:]),
        'gsm8k': dict(test=short(gsm, 600)[:4 if small else 100], train=short(gsm_train, 500)[:pool]),
        'bbh': dict(test=[row for s in bbh for row in [r for r in read(root, 'bbh/test') if r['task'] == s][:3 if small else 40]]),
    }
    if not small:
        out['humaneval'] = dict(test=read(root, 'humaneval/test')[:40])
        out['mbpp'] = dict(test=[row for row in read(root, 'mbpp/all') if 11 <= row['task_id'] <= 50])
        out['triviaqa'] = dict(
            validation=[dict(question=r['question'], answer=dict(aliases=r['golden_answers'])) for r in read(root, 'triviaqa/validation-1000')[:200]],
            train=[dict(question=r['question'], answer=dict(aliases=r['golden_answers'])) for r in read(root, 'triviaqa/validation-1000')[200:]])
        out['math'] = dict(test=[row for name in ('Algebra', 'Number Theory', 'Prealgebra')
                                 for row in [r for r in read(root, 'math/test-1000') if r['type'] == name][:5]])
    return out


def main(size, root, output, sources=None):
    for task, splits in (tables(root, size) | (sourced(sources) if sources else {})).items():
        os.makedirs(f'{output}/{task}', exist_ok=True)
        for split, rows in splits.items():
            with open(f'{output}/{task}/{split}.jsonl', 'w', encoding='utf-8') as file:
                for row in rows: file.write(json.dumps(row, ensure_ascii=False) + '\n')
    # The examples of BIG-Bench Hard; `small` has those of its tasks already.
    if size == 'large': shutil.copytree(f'{root}/bbh/cot-prompts', f'{output}/bbh/cot-prompts', dirs_exist_ok=True)


if __name__ == '__main__':
    main(*sys.argv[1:])
