"""Several training processes: two share the samples and end with the same weights."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

from core.recognizer.alphabet import N_CLASSES
from core.train import checkpoint
from core.train.draws import Draws

ROOT = Path(__file__).parents[1]
WORKER = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
import torch
torch.set_num_threads(1)
from core.recognizer.architecture import NetSettings
from core.train import processes, words
out = Path({out!r})
crew = processes.join()
source, told = words.synthetic(words.TrainSettings(samples=1, batch_size=8), crew), []
def noted(start):
    for batch in source(start):
        if start < words.HELD_OUT:
            told.append("|".join(batch.texts))
        yield batch
for samples in (160, 192):
    settings = words.TrainSettings(net=NetSettings(channels=(4, 8, 8, 8), hidden=8), batch_size=8,
                                   samples=samples, warm_up=2, log_seconds=0.0)
    told, resume = [], out / words.STATE
    state = words.train(settings, out, resume if resume.exists() else None, source=noted,
                        crew=crew, say=lambda _: None)
    # the last batch was made, then the budget was found to be spent
    torch.save({{"model": state.model, "seen": told[:-1], "samples": state.samples}},
               out / f"rank{{crew.rank}}-{{samples}}.pt")
"""


def run_two(out):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    code = WORKER.format(root=str(ROOT), out=str(out))
    started = [subprocess.Popen([sys.executable, "-c", code], env={
        **os.environ, "RANK": str(r), "LOCAL_RANK": str(r), "WORLD_SIZE": "2", "MASTER_ADDR":
        "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""})
        for r in range(2)]
    assert [p.wait(timeout=120) for p in started] == [0, 0]


def test_two_processes_train_one_net_on_different_samples(tmp_path):
    run_two(tmp_path)
    one, other, more = (torch.load(tmp_path / f"rank{name}.pt", weights_only=True)
                        for name in ("0-160", "1-160", "0-192"))
    for name, value in one["model"].items():
        assert torch.allclose(value.float(), other["model"][name].float(), atol=1e-6), name
    assert len(one["seen"]) == len(other["seen"]) == 10  # eight from each process a step
    assert not set(one["seen"]) & set(other["seen"])
    assert one["samples"] == 160 and more["samples"] == 192
    assert len(more["seen"]) == 2 and not set(more["seen"]) & set(one["seen"])
    state = checkpoint.load(tmp_path / "state.pt")
    draws = Draws.of_state(state.draws)
    n_texts = sum(int(row[0]) for row in draws.counts.values())
    assert 150 < n_texts <= 192  # those of both, less windows without text


def test_draws_are_counted_by_font_and_glyph():
    draws = Draws()
    draws.add(("a.ttf", "b.ttf", ""), ["see", "A", ""])
    again = Draws.of_state(draws.state())
    again.merge(draws)
    row = again.counts["a.ttf"]
    assert row[0] == 2 and row[ord("e") - 31] == 4 and row[ord("s") - 31] == 2
    assert again.rarest(2) == [("a.ttf", "s", 2), ("b.ttf", "A", 2)]
    assert sorted(again.counts) == ["a.ttf", "b.ttf"]
    assert Draws.of_state({}).counts == {} and np.array_equal(Draws().state()["counts"].shape, (0, N_CLASSES))
