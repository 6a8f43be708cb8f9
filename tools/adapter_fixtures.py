"""Random adapters of every kind on the fixtures, and what PEFT makes of them.

    python3 tools/adapter_fixtures.py Tests/Goldens/fixtures Tests/Goldens/adapters
    python3 tools/adapter_fixtures.py Tests/Goldens/fixtures Tests/Goldens/adapters --check FOLDER
    python3 tools/adapter_fixtures.py Tests/Goldens/fixtures Tests/Goldens/adapters --llama FOLDER

Writes NAME/adapter_config.json, NAME/adapter_model.safetensors and NAME/goldens.json. Oracle: transformers + PEFT in f32,
eager attention, no cache, on the directories of the fixtures. With --check, FOLDER holds adapters of the same names that
Facet wrote (FACET_ADAPTERS_OUT of its tests): PEFT loads each, and its logits must be the goldens'. With --llama, FOLDER
holds NAME.gguf that Facet wrote and FAMILY.gguf, the fixtures' files in F32 (facet quantize --type F32: llama.cpp rounds
activations to the type of the weights), and llama.cpp (llama-cpp-python) must answer with the goldens' greedy tokens."""
import json, os, sys

PROMPT = 'short'
GREEDY = 24
LINEAR = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']
ADAPTERS = {
    'gemma1-lora': dict(r=4, lora_alpha=8, target_modules=['q_proj', 'v_proj']),
    'gemma2-rslora': dict(r=4, lora_alpha=6, target_modules=LINEAR, use_rslora=True, rank_pattern={'down_proj': 2, r'layers\.[01]\.mlp\.up_proj': 3}),
    'gemma3-dora': dict(r=3, lora_alpha=6, target_modules=LINEAR, use_dora=True, layers_to_transform=[1, 5]),
    'llama-dora': dict(r=2, lora_alpha=2, target_modules=['q_proj', 'k_proj', 'down_proj'], use_dora=True),
    'llama-head': dict(r=2, lora_alpha=3, target_modules=['lm_head', 'gate_proj', 'k_proj']),
    'mistral-patterns': dict(
        r=4, lora_alpha=8, target_modules=r'.*layers\.[02]\.(self_attn\.[qko]_proj|mlp\.down_proj)',
        rank_pattern={'^model.layers.0.self_attn.k_proj': 2}, alpha_pattern={'o_proj': 3, 'layers.2.mlp.down_proj': 5}),
}


def short(values):
    return [float(f'{float(x):.7g}') for x in values]


def prompt(fixtures, name):
    goldens = json.load(open(f'{fixtures}/{name.split("-")[0]}/goldens.json'))
    return next(p['tokens'] for p in goldens['prompts'] if p['name'] == PROMPT)


def results(torch, model, tokens):
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([tokens]), use_cache=False).logits[0]
        answer, least = list(tokens), 1e9
        for _ in range(GREEDY):
            best = model(input_ids=torch.tensor([answer]), use_cache=False).logits[0, -1].topk(2)
            least = min(least, float(best.values[0] - best.values[1]))
            answer.append(int(best.indices[0]))
    return logits, answer[len(tokens):], least


def base(torch, transformers, fixtures, name):
    return transformers.AutoModelForCausalLM.from_pretrained(
        f'{fixtures}/{name.split("-")[0]}/hf', dtype=torch.float32, attn_implementation='eager').eval()


def make(fixtures, folder):
    import peft, torch, transformers
    for name, settings in ADAPTERS.items():
        tokens = prompt(fixtures, name)
        for seed in range(1, 1000):
            random = torch.Generator().manual_seed(seed)
            plain = base(torch, transformers, fixtures, name)
            model = peft.get_peft_model(plain, peft.LoraConfig(task_type='CAUSAL_LM', base_model_name_or_path=f'fixture-{name}', **settings)).eval()
            with torch.no_grad():
                for key, weight in model.named_parameters():
                    if not weight.requires_grad: continue
                    noise = torch.randn(weight.shape, generator=random)
                    if 'magnitude' in key: weight.copy_(weight * (1 + 0.2 * noise))
                    else: weight.copy_(noise * (0.6 / weight.shape[1] ** 0.5 if 'lora_A' in key else 0.4))
            logits, answer, gap = results(torch, model, tokens)
            if gap > 1e-3 and len(set(answer)) >= 6: break
        with model.disable_adapter(): plain_logits = results(torch, model, tokens)[0]
        model.peft_config['default'].base_model_name_or_path = f'fixture-{name.split("-")[0]}'
        model.save_pretrained(f'{folder}/{name}')
        for extra in ('README.md',):
            if os.path.exists(f'{folder}/{name}/{extra}'): os.remove(f'{folder}/{name}/{extra}')
        json.dump(
            dict(oracle=f'peft {peft.__version__}, transformers {transformers.__version__}, torch {torch.__version__}', seed=seed, tokens=tokens,
                 base=short(plain_logits[-1]), logits=short(logits[-1]), greedy=answer, gap=float(f'{gap:.3g}')),
            open(f'{folder}/{name}/goldens.json', 'w'), separators=(',', ':'))
        print(name, 'seed', seed, 'gap', f'{gap:.3g}', 'moved by', f'{float((logits - plain_logits).abs().max()):.3g}', file=sys.stderr)


def check(fixtures, folder, written):
    import peft, torch, transformers
    for name in ADAPTERS:
        model = peft.PeftModel.from_pretrained(base(torch, transformers, fixtures, name), f'{written}/{name}').eval()
        golden = json.load(open(f'{folder}/{name}/goldens.json'))
        logits, answer, _ = results(torch, model, golden['tokens'])
        distance = float((logits[-1] - torch.tensor(golden['logits'])).abs().max())
        print(f'{name}: PEFT with the adapter that Facet wrote is within {distance:.2g}, greedy {"equal" if answer == golden["greedy"] else "DIFFERENT"}')


def llama(fixtures, folder, written):
    import llama_cpp
    for name in ADAPTERS:
        if not os.path.exists(f'{written}/{name}.gguf'): continue
        family, golden = name.split('-')[0], json.load(open(f'{folder}/{name}/goldens.json'))
        model = llama_cpp.Llama(f'{written}/{family}.gguf', lora_path=f'{written}/{name}.gguf', n_ctx=128, n_threads=1, verbose=False)
        answer = []
        for token in model.generate(golden['tokens'], temp=0.0, top_k=1, repeat_penalty=1.0):
            answer.append(token)
            if len(answer) == GREEDY: break
        same = next((i for i, (a, b) in enumerate(zip(answer, golden['greedy'])) if a != b), GREEDY)
        print(f'{name}: llama.cpp with the adapter that Facet wrote gives {same} of {GREEDY} greedy tokens alike')


fixtures, folder, *rest = sys.argv[1:]
if not rest: make(fixtures, folder)
elif rest[0] == '--check': check(fixtures, folder, rest[1])
else: llama(fixtures, folder, rest[1])
