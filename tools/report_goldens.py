"""What TensorBoard and transformers make of a run's reports.

    python3 tools/report_goldens.py events Tests/Goldens/reports/events.bin
    python3 tools/report_goldens.py state Tests/Goldens/reports
    python3 tools/report_goldens.py read RUN

Oracles: the tensorboard package (its record writer, its Event message and its EventAccumulator) and transformers'
TrainerState. `read` shows the scalars of a run's folder as TensorBoard sees them, one line per tag."""
import json, os, struct, sys


def float32(value):
    return struct.unpack('<f', struct.pack('<f', value))[0]


def step_entry(step):
    return {'step': step, 'epoch': step / 8, 'loss': 4 - step / 4, 'grad_norm': 1.5, 'learning_rate': 0.00025,
            'num_tokens': 2048 * step, 'mean_token_accuracy': 0.5, 'entropy': 2.25, 'tokens_per_second': 512.0,
            'peak_memory': 3000000000}


def evaluation_entry(step):
    return {'step': step, 'epoch': step / 8, 'eval_loss': 2.5, 'eval_perplexity': 12.25,
            'eval_mean_token_accuracy': 0.625, 'eval_runtime': 0.75}


def write_events(path):
    from tensorboard.compat.proto import event_pb2, summary_pb2
    from tensorboard.summary.writer.record_writer import RecordWriter

    def summary(entry):
        evaluates = 'eval_loss' in entry
        return summary_pb2.Summary(value=[
            summary_pb2.Summary.Value(
                tag='eval/' + name.removeprefix('eval_') if evaluates else 'train/' + name, simple_value=value)
            for name, value in entry.items() if name != 'step'])
    start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
    events = [
        event_pb2.Event(wall_time=1764000000.25, file_version='brain.Event:2'),
        event_pb2.Event(wall_time=1764000000.5, session_log=start),
        event_pb2.Event(wall_time=1764000001, step=300, summary=summary(step_entry(300))),
        event_pb2.Event(wall_time=1764000002, step=300, summary=summary(evaluation_entry(300))),
    ]
    with open(path, 'wb') as file:
        writer = RecordWriter(file)
        for event in events:
            writer.write(event.SerializeToString())
        writer.flush()


def save_state(folder):
    from transformers import TrainerState
    state = TrainerState.load_from_json(os.path.join(folder, 'trainer_state_ours.json'))
    history = []
    for step in range(1, 9):
        history.append(step_entry(step))
        if step % 4 == 0:
            history.append(evaluation_entry(step))
    expected = TrainerState(
        best_metric=2.5, best_model_checkpoint='runs/"a"/checkpoint-4', epoch=1.0, global_step=8, max_steps=16,
        num_train_epochs=2, logging_steps=1, eval_steps=4, save_steps=4, train_batch_size=2, log_history=history)
    assert state == expected, state
    state.save_to_json(os.path.join(folder, 'trainer_state.json'))


def read_run(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    accumulator = EventAccumulator(os.path.join(folder, 'runs'), size_guidance={'scalars': 0})
    accumulator.Reload()
    names = accumulator.Tags()['scalars']
    scalars = {name: [(event.step, event.value) for event in accumulator.Scalars(name)] for name in names}
    for name, events in scalars.items():
        print(name, ' '.join(f'{step}:{value:g}' for step, value in events))
    # What TensorBoard shows must be what metrics.jsonl holds.
    expected = {}
    for line in open(os.path.join(folder, 'metrics.jsonl'), encoding='utf-8'):
        entry = json.loads(line)
        group = 'eval/' if 'eval_loss' in entry else 'train/'
        for name, value in entry.items():
            if name != 'step':
                values = expected.setdefault(group + name.removeprefix('eval_'), [])
                values.append((entry['step'], float32(float('nan') if value is None else value)))
    assert repr(scalars) == repr({name: expected[name] for name in names}) and set(names) == set(expected), 'differs'
    print('agrees with metrics.jsonl')


if __name__ == '__main__':
    {'events': write_events, 'state': save_state, 'read': read_run}[sys.argv[1]](sys.argv[2])
