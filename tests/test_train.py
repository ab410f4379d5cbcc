"""Training: the schedule, a run that is broken off and goes on alike, states that do not fit."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from core.errors import Mismatch, Missing, Usage
from core.recognizer import alphabet, net
from core.recognizer.architecture import NetSettings
from core.train import checkpoint, words
from core.train.batch import Batch
from core.train.words import TrainSettings, rate_at

ROOT = Path(__file__).parents[1]
TINY = NetSettings(channels=(4, 8, 8, 8), hidden=8)


def digits(start):
    """Drawn numbers, batch by batch; sample i shows the number i % 100."""
    i = start
    while True:
        windows, texts = [], []
        for k in range(i, i + 8):
            page = np.full((32, 64), 255, np.uint8)
            cv2.putText(page, str(k % 100), (4, 26), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 0, 2)
            windows.append(page)
            texts.append(str(k % 100))
        yield Batch(np.stack(windows), np.full(8, 64, np.int32), texts)
        i += 8


def settings(samples=160, **others):
    return TrainSettings(net=TINY, samples=samples, batch_size=8, warm_up=5, log_seconds=0.0,
                         **others)


def losses(folder):
    """Loss after each number of samples, as the log says."""
    lines = [json.loads(line) for line in (folder / words.LOG).read_text().splitlines()]
    return {e["samples"]: e["loss"] for e in lines if "loss" in e}


def quiet(_):
    pass


def test_the_rate_warms_up_stays_and_falls():
    s = TrainSettings(samples=1000, rate=1e-3, warm_up=100, decay_start=0.5, final_rate=0.01)
    assert rate_at(s, 0.01, 0) == pytest.approx(1e-5)
    assert rate_at(s, 0.2, 100) == rate_at(s, 0.5, 500) == pytest.approx(1e-3)
    assert rate_at(s, 0.75, 700) == pytest.approx(1e-3 * (0.01 + 0.99 / 2))
    assert rate_at(s, 1.0, 999) == pytest.approx(1e-5)


def test_a_resumed_run_continues_the_same_curve(tmp_path):
    words.train(settings(), tmp_path / "whole", source=digits, say=quiet)
    whole = losses(tmp_path / "whole")

    def broken_off(start):
        for k, batch in enumerate(digits(start)):
            if start < words.HELD_OUT and k == 8:
                os.kill(os.getpid(), signal.SIGTERM)
            yield batch

    state = words.train(settings(), tmp_path / "parts", source=broken_off, say=quiet)
    assert 0 < state.samples < 160
    words.train(settings(), tmp_path / "parts", tmp_path / "parts" / words.STATE, source=digits,
                say=quiet)
    parts = losses(tmp_path / "parts")
    assert sorted(parts) == sorted(whole) and len(whole) == 20
    for samples, loss in whole.items():
        assert parts[samples] == pytest.approx(loss, rel=1e-3), samples


def test_training_lowers_the_loss(tmp_path):
    words.train(settings(800, rate=5e-3), tmp_path, source=digits, say=quiet)
    found = losses(tmp_path)
    assert found[max(found)] < 0.5 * found[min(found)]
    loaded = net.load(tmp_path / words.WEIGHTS)
    assert loaded.settings == TINY


def test_a_branch_decays_from_its_start(tmp_path):
    words.train(settings(80, decay_start=1.0), tmp_path / "trunk", source=digits, say=quiet)
    state = words.train(settings(80), tmp_path / "branch", tmp_path / "trunk" / words.STATE,
                        branch=True, source=digits, say=quiet)
    rates = [json.loads(line).get("rate") for line in
             (tmp_path / "branch" / words.LOG).read_text().splitlines()]
    rates = [r for r in rates if r is not None]
    assert state.samples == 160 and rates == sorted(rates, reverse=True)
    assert rates[-1] < 0.05 * rates[0]


SCRIPT = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
from pathlib import Path
import test_train as t
t.words.train(t.settings(10**7, checkpoint_minutes=0.0), Path({out!r}), source=t.digits, say=print)
"""


def test_a_kill_at_any_moment_leaves_a_whole_checkpoint(tmp_path):
    code = SCRIPT.format(root=str(ROOT), tests=str(ROOT / "tests"), out=str(tmp_path))
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL)
    state = tmp_path / words.STATE
    patience = time.monotonic() + 60
    while not state.exists() and child.poll() is None and time.monotonic() < patience:
        time.sleep(0.02)
    time.sleep(0.3)  # it saves after every step, so the kill often falls into a save
    child.kill()
    child.wait()
    kept = checkpoint.load(state)
    assert kept.samples > 0 and kept.steps * 8 == kept.samples
    more = words.train(settings(kept.samples + 16), tmp_path / "more", state, source=digits,
                       say=quiet)
    assert more.samples == kept.samples + 16


def test_a_killed_run_goes_on_along_the_same_curve(tmp_path):
    words.train(settings(240), tmp_path / "whole", source=digits, say=quiet)
    whole = losses(tmp_path / "whole")
    code = SCRIPT.format(root=str(ROOT), tests=str(ROOT / "tests"), out=str(tmp_path / "killed"))
    code = code.replace("10**7", "240").replace("t.digits", "slowly").replace(
        "t.words.train", "import os, time\n"
        "def slowly(start):\n"
        "    for k, batch in enumerate(t.digits(start)):\n"
        "        if start < t.words.HELD_OUT and k == 17: os.kill(os.getpid(), 9)\n"
        "        yield batch\n"
        "t.words.train")
    child = subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=False)
    assert child.returncode == -signal.SIGKILL
    state = tmp_path / "killed" / words.STATE
    kept = checkpoint.load(state).samples
    assert 0 < kept < 240
    words.train(settings(240), tmp_path / "killed", state, source=digits, say=quiet)
    found = losses(tmp_path / "killed")  # of a step done twice, the later line counts
    assert sorted(found) == sorted(whole)
    for samples, loss in whole.items():
        assert found[samples] == pytest.approx(loss, rel=1e-3), samples


def test_a_state_in_pieces_is_the_same_state(tmp_path):
    words.train(settings(16), tmp_path, source=digits, say=quiet)
    parts = checkpoint.split(tmp_path / words.STATE, tmp_path / "parts", most=10_000)
    assert len(parts) > 2 and all(p.stat().st_size <= 10_000 for p in parts)
    whole = checkpoint.load(tmp_path / words.STATE)
    again = checkpoint.load(tmp_path / "parts" / words.STATE)
    assert again.samples == 16
    assert all(torch.equal(whole.model[k], again.model[k]) for k in whole.model)


def test_a_state_of_ascii_alone_goes_on_in_the_whole_alphabet(tmp_path):
    words.train(settings(16), tmp_path, source=digits, say=quiet)
    path, n = tmp_path / words.STATE, len(alphabet.ASCII) + 1
    content = torch.load(path, weights_only=True)
    shape = content["model"]["out.weight"].shape
    for weights in (content["model"], content["average"]):
        for name in ("out.weight", "out.bias"):
            weights[name] = weights[name][:n].clone()
    for moments in content["optimiser"]["state"].values():
        for name in ("exp_avg", "exp_avg_sq"):
            if len(moments[name]) == len(alphabet.CHARACTERS) + 1:
                moments[name] = moments[name][:n].clone()
    content["draws"]["counts"] = content["draws"]["counts"][:, :n].clone()
    content["digest"] = alphabet.digest_of(alphabet.ASCII)
    del content["alphabet"]
    torch.save(content, path)
    state = checkpoint.load(path)
    assert state.model["out.weight"].shape == shape
    state = words.train(settings(32), tmp_path, resume=path, source=digits, say=quiet)
    assert state.samples == 32


def test_a_sweep_writes_an_entry_for_each_run(tmp_path):
    from core import notebook
    from core.train import sweep, words_command

    page = np.full((40, 90), 255, np.uint8)
    cv2.putText(page, "12", (10, 30), cv2.FONT_HERSHEY_SIMPLEX, 1, 0, 2)
    folder = tmp_path / "documents" / "dev" / "receipts"
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / "a.png"), page)
    (tmp_path / "words").mkdir()
    tsv = tmp_path / "words" / "dev.tsv"
    tsv.write_text("file\tx0\ty0\tx1\ty1\ttext\tprinted\thow\tseg\n"
                   "documents/dev/receipts/a.png\t8\t5\t50\t35\t12\t12\ttruth\t0\n")
    plan = tmp_path / "sweep.toml"
    plan.write_text('[all]\nsamples = 16\nbatch = 8\nchannels = [4, 8, 8, 8]\nhidden = 8\n'
                    '["slow rate"]\nrate = 1e-4\ngoal = "Slow?"\n["fast rate"]\nrate = 1e-2\n')
    parser = argparse.ArgumentParser()
    words_command.add_arguments(parser)
    args = parser.parse_args(["--sweep", str(plan), "--eval", str(tsv), "--out", str(tmp_path / "o")])
    assert sweep.command(args, into=tmp_path / "notebook") == 0
    found = notebook.entries(tmp_path / "notebook")
    assert [e.title for e in found] == ["fast rate", "slow rate"]
    assert found[1].goal == "Slow?" and found[1].settings["rate"] == 1e-4
    assert found[0].samples == 16 and "--rate 0.01" in found[0].command
    sweep.command(args, into=tmp_path / "notebook")  # finished runs are not made again
    assert len(notebook.entries(tmp_path / "notebook")) == 2
    plan.write_text("[one]\nratee = 1\n")
    with pytest.raises(Usage, match="ratee"):
        sweep.read_sweep(plan)


def test_exported_weights_are_those_of_the_state(tmp_path):
    words.train(settings(16), tmp_path, source=digits, say=quiet)
    samples = words.export(tmp_path / words.STATE, tmp_path / "out.pt", "numbers only")
    assert samples == 16
    model, content = net.load_raw(tmp_path / "out.pt")
    average = checkpoint.load(tmp_path / words.STATE).average
    assert content["card"] == "numbers only"
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            assert np.allclose(value, average[name], atol=1e-3, rtol=1e-3)


def test_states_that_do_not_fit_say_so(tmp_path):
    with pytest.raises(Missing, match="gone.pt"):
        checkpoint.load(tmp_path / "gone.pt")
    net.save(net.WordNet(TINY), tmp_path / "weights.pt", 0)
    with pytest.raises(Mismatch, match="weights.pt"):
        checkpoint.load(tmp_path / "weights.pt")
    with pytest.raises(Usage, match="budget"):
        TrainSettings()


def test_settings_survive_a_checkpoint():
    s = settings(123, seed=7)
    assert words.settings_of(words.plain(s)) == s


def test_the_mean_of_weights_lies_between_them(tmp_path):
    parts = [tmp_path / "a.pt", tmp_path / "b.pt"]
    for seed, path in enumerate(parts):
        torch.manual_seed(seed)
        net.save(net.WordNet(TINY), path, 100 * (seed + 1), "drawn words")
    assert words.average(parts, tmp_path / "mean.pt") == 200
    a, b = (net.load_raw(path)[0].state_dict() for path in parts)
    mean, content = net.load_raw(tmp_path / "mean.pt")
    for name, value in mean.state_dict().items():
        if value.is_floating_point():
            assert torch.allclose(2 * value, a[name] + b[name], atol=2e-3), name  # fp16 in files
    assert (content["samples"], content["card"]) == (200, "drawn words")


def test_weights_of_other_data_are_not_averaged(tmp_path):
    for name, card in (("a.pt", "drawn words"), ("b.pt", "receipts")):
        net.save(net.WordNet(TINY), tmp_path / name, 1, card)
    with pytest.raises(Usage, match="b.pt: another net or other data"):
        words.average([tmp_path / "a.pt", tmp_path / "b.pt"], tmp_path / "mean.pt")
