"""The lines that tokenizers are compared on: mixed scripts, code, white space, control text and plain damage, from a seed.

    python3 tools/tokenizer_corpus.py SHARED_DATA OUTPUT_DIRECTORY

Writes corpus-1.txt and corpus-2.txt: one text a line, with \\\\ for a backslash, \\n, \\r, \\t and \\u{HEX} for other control characters.
English prose comes from gutenberg/ (public domain), sums from gsm8k/ and code from humaneval/ (both MIT); all else is made
here. Code points are those of the Unicode version of the Python that runs it, so that every oracle knows them."""
import json, os, random, sys, unicodedata

SEED = 20261125
SENTENCES = [
    'The quick brown fox jumps over the lazy dog.', 'Voix ambiguë d’un cœur qui, au zéphyr, préfère les jattes de kiwis.',
    'Falsches Üben von Xylophonmusik quält jeden größeren Zwerg.', 'El pingüino Wenceslao hizo kilómetros bajo exhaustiva lluvia y frío.',
    'Pchnąć w tę łódź jeża lub ośm skrzyń fig.', 'Příliš žluťoučký kůň úpěl ďábelské ódy.', 'Pijamalı hasta yağız şoföre çabucak güvendi; İstanbul, ılık.',
    'Tiếng Việt có nhiều dấu: ngã, hỏi, nặng, sắc, huyền.', 'Kæmi ný öxi hér, ykist þjófum nú bæði víl og ádrepa.', 'Съешь же ещё этих мягких французских булок, да выпей чаю.',
    'Жебракують філософи при ґанку церкви в Гадячі, ще й шатро їхнє п’яне знаємо.', 'Ξεσκεπάζω την ψυχοφθόρα βδελυγμία· ἀρχὴ πάντων.',
    'نص حكيم له سر قاطع وذو شأن عظيم مكتوب على ثوب أخضر ومغلف بجلد أزرق.', 'هر کس می‌خواهد بداند، بپرسد؛ ۱۲۳۴۵۶۷۸۹۰', 'דג סקרן שט בים מאוכזב ולפתע מצא חברה.',
    'שָׁלוֹם עֲלֵיכֶם', 'ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण का सर्वनाश। १२३', 'আমি বাংলায় গান গাই, আমি বাংলার গান গাই।', 'தமிழ் மொழி மிகவும் பழமையானது.',
    'తెలుగు భాష తీయనిది.', 'เป็นมนุษย์สุดประเสริฐเลิศคุณค่า กว่าบรรดาฝูงสัตว์เดรัจฉาน ๑๒๓', 'ភាសាខ្មែរ និង លេខ ១២៣', 'მზე ამოვიდა და დღე დაიწყო.', 'Խաղաղություն և բարի օր բոլորին։',
    'いろはにほへと ちりぬるを わかよたれそ つねならむ。', 'カタカナとひらがな、漢字が混じる文章です。ｱｲｳｴｵ', '天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。', '國語和粵語嘅分別：唔該、多謝。𠮷野家', '키스의 고유조건은 입술끼리 만나야 하고 특별한 기술은 필요치 않다.',
    '다람쥐 헌 쳇바퀴에 타고파.', 'አማርኛ የኢትዮጵያ ቋንቋ ነው።', 'ᚠᛇᚻ᛫ᛒᛦᚦ᛫ᚠᚱᚩᚠᚢᚱ', 'བོད་སྐད་ནི་ཡག་པོ་ཡིན།', 'မြန်မာဘာသာစကား', 'සිංහල භාෂාව', 'ລາວ ພາສາ', 'Монгол хэл ᠮᠣᠩᠭᠣᠯ', '∀x∈ℝ: ⌈x⌉ = −⌊−x⌋, α ∧ ¬β = ¬(¬α ∨ β), ∑_{i=0}^{n} i² ≠ ∞',
]
RANGES = [
    (0x21, 0x7E), (0xA0, 0xFF), (0x100, 0x24F), (0x250, 0x2AF), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x530, 0x58F), (0x590, 0x5FF), (0x600, 0x6FF),
    (0x900, 0x97F), (0x980, 0x9FF), (0xB80, 0xBFF), (0xE00, 0xE7F), (0xF00, 0xFFF), (0x10A0, 0x10FF), (0x1100, 0x11FF), (0x1200, 0x137F), (0x1E00, 0x1FFF),
    (0x2000, 0x206F), (0x2070, 0x209F), (0x20A0, 0x20CF), (0x2100, 0x218F), (0x2190, 0x22FF), (0x2300, 0x23FF), (0x2460, 0x24FF), (0x2500, 0x25FF), (0x2600, 0x27BF),
    (0x2E80, 0x2FDF), (0x3000, 0x303F), (0x3040, 0x30FF), (0x3100, 0x318F), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA000, 0xA4CF), (0xAC00, 0xD7A3), (0xE000, 0xF8FF),
    (0xF900, 0xFAFF), (0xFB50, 0xFDFF), (0xFE00, 0xFE6F), (0xFF00, 0xFFEF), (0x10000, 0x1013F), (0x10300, 0x1034F), (0x12000, 0x123FF), (0x1D400, 0x1D7FF),
    (0x1F100, 0x1F1FF), (0x1F300, 0x1F64F), (0x1F680, 0x1F6FF), (0x1F900, 0x1F9FF), (0x20000, 0x2A6DF), (0xE0000, 0xE01EF), (0xF0000, 0xFFFFD), (0x100000, 0x10FFFD),
]
CODE = [
    'func greet(_ name: String?) -> String {', '  guard let name else { return "nobody" }', 'let xs = [1, 2, 3].map { $0 &* 0xFF_FF }', '@inlinable public static func == (a: Self, b: Self) -> Bool',
    '#include <stdint.h>', 'static inline uint32_t rotl(uint32_t x, int n) { return (x << n) | (x >> (32 - n)); }', 'for (int i = 0; i < n; ++i) {', '\tprintf("%5.2f\\n", a[i]);', '#define MAX(a, b) ((a) > (b) ? (a) : (b))',
    'fn main() -> Result<(), Box<dyn std::error::Error>> {', "    let v: Vec<&'static str> = vec![];", '    println!("{:?}", v.iter().map(|x| x.len()).sum::<usize>());', 'impl<T: Clone + Send> Iterator for Foo<T> {',
    'const f = async (x) => { await fetch(`/api/${x}`); };', "import { useState } from 'react';", 'if (a === b && c !== d || !e) return null ?? undefined;', 'document.querySelector("#id > .cls")?.addEventListener("click", e => {});',
    'SELECT a.id, COUNT(*) AS n FROM t AS a LEFT JOIN u ON a.id = u.id WHERE u.x IS NOT NULL GROUP BY 1;', "INSERT INTO t VALUES (1, 'it''s');", 'for f in *.txt; do echo "${f%.txt}"; done | sort -u > out.log 2>&1', 'git rebase -i HEAD~3 && make -j$(nproc)',
    '{"key": [1, 2.5e-3, null, true], "nested": {"a": "\\u00e9"}}', 'name: build\non:\n  push:\n    branches: [main]\n', 'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println("hi")\n}\n', 'public class A<T extends B> implements C { @Override public int hashCode() { return 31; } }',
    'module Main where\nmain :: IO ()\nmain = mapM_ print $ filter even [1..10]', '(defun fact (n) (if (<= n 1) 1 (* n (fact (- n 1)))))', '\\begin{align*} \\frac{\\partial f}{\\partial x} &= \\int_0^1 e^{-t^2}\\,dt \\\\ \\end{align*}', 'x = np.einsum("bhqk,bhkd->bhqd", a, v)[..., :-1]',
    'def f(*args, **kwargs):\n    """Doc."""\n    return {k: v for k, v in kwargs.items() if v is not None}\n', '\tif err != nil {\n\t\treturn nil, fmt.Errorf("x: %w", err)\n\t}', 'diff --git a/x b/x\n@@ -1,3 +1,4 @@\n-old\n+new', 'body { margin: 0 auto !important; color: #ff00aa; }',
    '0x1F 0b1010 0o777 1_000_000 1e10 3.14f 42u 0xDEADBEEFull', '// TO BE OR NOT: i++ --> 0 <=> ... ??!? ->* ::', '^(?:[a-z0-9!#$%&\'*+/=?^_`{|}~-]+)@\\S+\\.[A-Z]{2,}$', 'mov rax, qword ptr [rbp-0x8]', 'C:\\Users\\me\\file.txt https://example.org/a?b=c&d=%20#e',
]
EMOJI = [
    '😀', '🎉', '👍🏽', '👩‍💻', '👨‍👩‍👧‍👦', '🏳️‍🌈', '🏴󠁧󠁢󠁳󠁣󠁴󠁿', '🇫🇷', '🇯🇵🇰🇷', '❤️', '❤', '☎️', '1️⃣', '#️⃣', '🧑🏿‍🚀', '🤷🏻‍♀️', '🫠', '🐈‍⬛', '✈', '⚡️', '©️', '™', '👁️‍🗨️', '🫱🏻‍🫲🏿', '‍', '️', '🏽', '\u20e3',
]
SPACES = [' ', '  ', '\t', '\n', '\r\n', '\r', '\u00a0', '\u3000', '\u2003', '\u2009', '\u200a', '\u202f', '\u205f', '\u1680', '\u2028', '\u2029', '\u0085', '\u000b', '\u000c', '\u200b', '\ufeff', '▁', '▁▁', ' ▁', '\u2060', '\u180e']
TAGS = ['table', 'caption', 'thead', 'tbody', 'tfoot', 'tr', 'th', 'td', 'h1', 'h2', 'h6', 'h7', 'blockquote', 'strong', 'em', 'b', 'i', 'u', 's', 'sub', 'sup', 'code', 'a', 'html', 'body', 'img', 'span', 'bbox', 'ul', 'li', 'div',
        'iframe', 'footer', 'p', 'B', 'br/', 'a href="x"', 'li class=\'y\'', 'script']
LOOKALIKES = [
    '<bos>', '<eos>', '<pad>', '<unk>', '<mask>', '<start_of_turn>', '<end_of_turn>', '<start_of_image>', '<end_of_image>', '<unused0>', '<unused99>', '<unused6241>', '[multimodal]', '[toxicity=0]', '[@BOS@]', '<2mass>', '<s>', '</s>',
    '[INST]', '[/INST]', '[AVAILABLE_TOOLS]', '[TOOL_CALLS]', '<<SYS>>', '<</SYS>>', '<|endoftext|>', '<|im_start|>', '<|im_end|>', '<repo_name>', '<file_sep>', '<jupyter_code>', '<|turn>', '<0x0A>', '<0x00>', '<0xFF>', '<|begin_of_text|>',
    '<bos', 'bos>', '< bos >', '<BOS>', '<start_of_turn', '[INST', '<|im_start', '▁', 'Ġ', 'Ċ', 'Ġthe', '▁the', '<pad><pad>', '<unused', '\u2047', '\ufffd',
]
WORDS = ['user', 'model', 'the', 'Hello', 'world', 'token', 'a', 'I', "don't", "we'll", "it's", "I'M", "you've", "they're", "he'd", 'naïve', 'x', '']


def escaped(text):
    named = {'\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t'}
    return ''.join(named.get(c) or (f'\\u{{{ord(c):X}}}' if unicodedata.category(c) in ('Cc', 'Zl', 'Zp') else c) for c in text)


def unescaped(line):
    text, i = [], 0
    while i < len(line):
        c = line[i]
        if c != '\\':
            text.append(c)
            i += 1
        elif line[i + 1] == 'u':
            end = line.index('}', i)
            text.append(chr(int(line[i + 3:end], 16)))
            i = end + 1
        else:
            text.append({'\\': '\\', 'n': '\n', 'r': '\r', 't': '\t'}[line[i + 1]])
            i += 2
    return ''.join(text)


def read(directory):
    lines = []
    for part in (1, 2):
        with open(f'{directory}/corpus-{part}.txt', encoding='utf-8', newline='\n') as f:
            lines += f.read().split('\n')[:-1]
    return [unescaped(line) for line in lines]


class Maker:
    def __init__(self, data):
        self.r = random.Random(SEED)
        self.data = data
        self.words = sorted({w for s in SENTENCES for w in s.split()})
        books = ''.join(open(f'{data}/gutenberg/{n}', encoding='utf-8', errors='ignore').read() for n in sorted(os.listdir(f'{data}/gutenberg')) if n.endswith('.txt'))
        self.books = books.replace('\r\n', '\n')
        load = lambda name: [json.loads(x) for x in open(f'{data}/{name}', encoding='utf-8')]
        self.sums = [s for x in load('gsm8k/train.jsonl') for s in (x['question'] + '\n' + x['answer']).split('\n')]
        self.code = [x['prompt'] + x['canonical_solution'] for x in load('humaneval/test.jsonl')]

    def piece(self, text, low, high):
        n = self.r.randint(low, high)
        start = self.r.randrange(max(1, len(text) - n))
        return text[start:start + n]

    def prose(self):
        return self.piece(self.books, 8, 62)

    def sum(self):
        return self.piece(self.r.choice(self.sums), 10, 50)

    def program(self):
        if self.r.random() < 0.5:
            return self.piece(self.r.choice(self.code), 10, 60)
        return self.piece('\n'.join(self.r.sample(CODE, 2)), 10, 60)

    def script(self):
        kind = self.r.random()
        if kind < 0.5:
            return self.piece(self.r.choice(SENTENCES), 5, 25)
        return self.r.choice([' ', ' ', '  ', '', '\n', '-']).join(self.r.sample(self.words, self.r.randint(1, 4)))

    def scalar(self):
        while True:
            low, high = self.r.choice(RANGES)
            c = chr(self.r.randint(low, high))
            if unicodedata.category(c) != 'Cn':
                return c

    def scalars(self):
        if self.r.random() < 0.5:
            low, high = self.r.choice(RANGES)
            cs = [chr(self.r.randint(low, high)) for _ in range(self.r.randint(1, 9))]
            return ''.join(c for c in cs if unicodedata.category(c) != 'Cn') or 'x'
        return ''.join(self.scalar() for _ in range(self.r.randint(1, 8)))

    def emoji(self):
        return ''.join(self.r.choice(EMOJI + ['', ' ', 'a', '!']) for _ in range(self.r.randint(1, 4)))

    def marks(self):
        return ''.join(c + ''.join(chr(self.r.randint(0x300, 0x36F)) for _ in range(self.r.randint(0, 3))) for c in self.r.sample('aeiouyncsz AEO\u05d0\u0627\u0915', self.r.randint(1, 6)))

    def decomposed(self):
        return unicodedata.normalize(self.r.choice(['NFD', 'NFKC', 'NFKD', 'NFC']), self.piece(self.r.choice(SENTENCES), 5, 25))

    def digits(self):
        r = self.r
        return r.choice([
            lambda: str(r.randrange(10 ** r.randint(1, 20))), lambda: f'{r.random() * 10 ** r.randint(-5, 9):,.{r.randint(0, 6)}f}', lambda: f'{r.randint(1, 31)}/{r.randint(1, 12)}/{r.randint(1900, 2030)} {r.randint(0, 23)}:{r.randint(0, 59):02}',
            lambda: f'{r.randrange(1 << 40):#x}', lambda: f'v{r.randint(0, 9)}.{r.randint(0, 99)}-rc{r.randint(1, 9)}', lambda: f'${r.randrange(10000)}  €{r.randrange(100)},{r.randrange(100):02}', lambda: ''.join(r.choice('0123456789²³½¼⅓①Ⅳ٠١٢३४๕８９ ') for _ in range(r.randint(1, 10))),
            lambda: f'{r.randrange(100)} {r.randrange(100)}  {r.randrange(100)}\t{r.randrange(9)}\n{r.randrange(9)}', lambda: f'a{r.randrange(1000)}b {r.randrange(100)}% x{r.randrange(9)}'])()

    def white(self):
        r = self.r
        one = lambda: r.choice(SPACES) * r.choice([1, 1, 1, 2, 3, 4, 7, 8])
        if r.random() < 0.15:
            return r.choice([' ', '\n', '\t', '\u00a0', '\u3000', '▁', '\r\n', '\r']) * r.randint(1, 70) + r.choice(WORDS)
        return ''.join(r.choice([one(), r.choice(WORDS), one(), str(r.randrange(99))]) for _ in range(r.randint(1, 7)))

    def html(self):
        r = self.r
        return ''.join(r.choice([f'<{r.choice(TAGS)}>', f'</{r.choice(TAGS)}>', r.choice(WORDS), ' ', '&amp;', '\n', '<', '>', '</', f'<{r.choice(TAGS)}']) for _ in range(r.randint(1, 7)))

    def lookalike(self):
        r = self.r
        return ''.join(r.choice([r.choice(LOOKALIKES), r.choice(LOOKALIKES), r.choice(WORDS), ' ', '\n', '▁']) for _ in range(r.randint(1, 5)))

    def long(self):
        r = self.r
        return r.choice([
            lambda: ''.join(r.choice('abcdefghijklmnopqrstuvwxyz') for _ in range(r.randint(40, 120))), lambda: r.choice('aeAx-=_*.#!/0é日😀') * r.randint(20, 90), lambda: self.prose().replace(' ', '').replace('\n', ''),
            lambda: r.choice(['ab', 'ha', 'na', '-=', '. ', '日本', '\r\n', "'s", '<b>']) * r.randint(10, 40), lambda: ''.join(r.choice('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/') for _ in range(r.randint(40, 100))) + '=='])()

    def control(self):
        r = self.r
        return ''.join(r.choice([chr(r.randrange(0x20)), chr(r.randint(0x7F, 0x9F)), r.choice(WORDS), ' ', '\u202e', '\u200f', '\u00ad', '\u2066', '\ufffe', '\uffff', '\U0001ffff']) for _ in range(r.randint(1, 7)))

    def lines(self):
        plan = [(self.prose, 1900), (self.sum, 600), (self.program, 1400), (self.script, 1900), (self.scalars, 900), (self.emoji, 450), (self.marks, 350), (self.decomposed, 300),
                (self.digits, 600), (self.white, 900), (self.html, 450), (self.lookalike, 750), (self.long, 250), (self.control, 300)]
        lines = {}
        for make, count in plan:
            target = len(lines) + count
            while len(lines) < target:
                line = make()
                if line:
                    lines[line] = None
        lines = [''] + list(lines)
        self.r.shuffle(lines)
        return lines


if __name__ == '__main__':
    data, out = sys.argv[1:3]
    lines = Maker(data).lines()
    half = len(lines) // 2
    for part, some in ((1, lines[:half]), (2, lines[half:])):
        text = ''.join(escaped(line) + '\n' for line in some)
        with open(f'{out}/corpus-{part}.txt', 'w', encoding='utf-8', newline='\n') as f:
            f.write(text)
        print(f'corpus-{part}.txt: {len(some)} lines, {len(text.encode())} bytes')
    assert read(out) == lines
