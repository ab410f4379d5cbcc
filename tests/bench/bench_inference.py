"""Words per second of the Word Deep Net: number formats, runtimes, threads, and what a page costs.

    python tests/bench/bench_inference.py [--words TSV --root DIR] [--threads 1,2] \
        [--prices cpu=0.04,gpu=2.5]

Without a word list, drawn words are read. Every variant reads the same windows, batched by width;
the time is the best of several passes, from windows in memory to log probabilities; `decode` is
what comes after. int8 quantises the LSTM and the last layer, where torch can do so by itself.
ONNX Runtime takes part where it is installed (with `onnx`, for the export).
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[2]))
from core.evaluate.words import cut_truth, read_truth, some_of
from core.pipeline import RESOURCES, default_words
from core.recognizer import alphabet, ctc, net
from core.recognizer.architecture import BEYOND, TIME_STRIDE
from core.recognizer.transcribe import (
    NET_ALONE,
    TranscriptSettings,
    batches_by_width,
    log_probs_of,
    read_at,
)
from core.recognizer.window import pad_windows, standardise

WORDS_PER_PAGE = 400  # of an ordinary letter
SECONDS_PER_HOUR = 3600

# log probabilities (n, T, C) of windows (n, 32, W) and widths (n,)
Reader = Callable[[NDArray[np.uint8], NDArray[np.int32]], NDArray[np.float32]]


class Folded:
    """What the variants stand in for: `LoadedNet.log_probs`, whatever computes it."""

    def __init__(self, read: Reader) -> None:
        self.log_probs = read


def variants(weights: Path) -> dict[str, Folded]:
    """Name -> reader; those that this machine has."""
    found: dict[str, Folded] = {"torch fp32": net.load(weights, bf16=False)}
    found["torch bf16"] = net.load(weights, bf16=True)
    found["torch fp32, norms not folded"] = Folded(_plain(weights))
    found["torch int8 LSTM"] = Folded(_int8(weights))
    try:
        found["ONNX Runtime fp32"] = Folded(_onnx(weights, quantised=False))
        found["ONNX Runtime int8"] = Folded(_onnx(weights, quantised=True))
    except ImportError as error:
        print(f"(ONNX Runtime left out: {error})")
    return found


def _finish(scores: NDArray[np.float32], width: NDArray[np.int32]) -> NDArray[np.float32]:
    """Scores to log probabilities, blank beyond each window's width."""
    scores = scores - scores.max(2, keepdims=True)
    found = scores - np.log(np.exp(scores).sum(2, keepdims=True))
    beyond = np.arange(found.shape[1])[None] >= -(-np.asarray(width) // TIME_STRIDE)[:, None]
    found[beyond] = BEYOND
    found[beyond, alphabet.BLANK] = 0.0
    return found


def _of_torch(model: torch.nn.Module) -> Reader:
    def read(window: NDArray[np.uint8], width: NDArray[np.int32]) -> NDArray[np.float32]:
        x = torch.from_numpy(standardise(window, width)).unsqueeze(1)
        with torch.inference_mode():
            return _finish(model(x).float().numpy(), width)
    return read


def _plain(weights: Path) -> Reader:
    return _of_torch(net.load_raw(weights)[0].eval())


def _int8(weights: Path) -> Reader:
    model = net.fold_norms(net.load_raw(weights)[0])
    return _of_torch(torch.ao.quantization.quantize_dynamic(
        model, {torch.nn.LSTM, torch.nn.Linear}, dtype=torch.qint8))


def _onnx(weights: Path, quantised: bool) -> Reader:
    import onnxruntime
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = net.fold_norms(net.load_raw(weights)[0])
    content = io.BytesIO()
    torch.onnx.export(model, (torch.zeros(2, 1, 32, 64),), content, input_names=["x"], dynamo=False,
                      output_names=["y"], dynamic_axes={"x": {0: "n", 3: "w"}, "y": {0: "n", 1: "t"}})
    path = content.getvalue()
    if quantised:
        import tempfile
        with tempfile.TemporaryDirectory() as folder:
            one, two = Path(folder) / "a.onnx", Path(folder) / "b.onnx"
            one.write_bytes(path)
            quantize_dynamic(one, two, weight_type=QuantType.QInt8,
                             op_types_to_quantize=["LSTM", "MatMul", "Gemm"])
            path = two.read_bytes()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def read(window: NDArray[np.uint8], width: NDArray[np.int32]) -> NDArray[np.float32]:
        x = standardise(window, width)[:, None]
        return _finish(session.run(None, {"x": x})[0], width)
    return read


def windows_of(args: argparse.Namespace) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """What is read: words of a list, or drawn ones."""
    if args.words:
        truth = some_of(read_truth(args.words), args.count)
        return pad_windows(cut_truth(truth, args.root or args.words.resolve().parent.parent))
    from core.synth.sample import SampleSettings, sample
    return pad_windows([sample(SampleSettings(), 1, i).image for i in range(args.count)])


def seconds_of(work: Callable[[], object], passes: int, clock: Callable[[], float]) -> float:
    """The best of several passes after one to warm up."""
    work()
    best = float("inf")
    for _ in range(passes):
        start = clock()
        work()
        best = min(best, clock() - start)
    return best


def prices_of(text: str) -> dict[str, float]:
    """`cpu=0.04,gpu=2.5`: a core's price and a GPU's, an hour."""
    return {name: float(value) for name, value in (part.split("=") for part in text.split(","))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=Path, metavar="TSV")
    parser.add_argument("--root", type=Path)
    parser.add_argument("--model", type=Path, default=default_words(RESOURCES / "models"))
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--cpu-time", action="store_true", help="count the process's own time, on a "
                        "machine that others use too; sensible for one thread")
    parser.add_argument("--prices", type=prices_of, default={"cpu": 0.04, "gpu": 2.5},
                        help="an hour of a core and of a GPU, in any currency")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    clock = time.process_time if args.cpu_time else time.perf_counter
    window, width = windows_of(args)
    n, settings = len(window), TranscriptSettings(batch_size=args.batch)
    print(f"{n} windows, {width.mean():.0f} px wide on average, "
          f"{len(batches_by_width(width, args.batch))} batches; bf16 in hardware: {net.has_bf16()}; "
          f"torch {torch.__version__}")
    print("| variant | threads | ms/word | words/s | differs from fp32 | price of a million pages |")
    print("|---|---|---|---|---|---|")
    expected: list[str] = []
    for threads in map(int, args.threads.split(",")):
        torch.set_num_threads(threads)
        for name, loaded in variants(args.model).items():
            seconds = seconds_of(lambda m=loaded: log_probs_of(window, width, settings, m),
                                 args.passes, clock)
            log_probs = log_probs_of(window, width, settings, loaded)
            again = log_probs_of(window, width, settings, loaded)
            if not np.array_equal(log_probs, again):
                print(f"({name} is not deterministic)")
            texts = ctc.best_paths(log_probs).texts
            expected = expected or texts
            on_gpu = getattr(loaded, "device", torch.device("cpu")).type == "cuda"
            price = args.prices["gpu"] if on_gpu else args.prices["cpu"] * threads
            hours = seconds / n * WORDS_PER_PAGE * 1e6 / SECONDS_PER_HOUR
            differs = sum(a != b for a, b in zip(texts, expected))
            print(f"| {name}{' on CUDA' if on_gpu else ''} | {threads} | {1000 * seconds / n:.3f} | "
                  f"{n / seconds:,.0f} | {differs} | {hours * price:,.2f} |", flush=True)
    loaded = net.load(args.model)
    for name, weighed in (("best path and forward sum", NET_ALONE),
                          ("alternatives and prior", replace(settings, looks=0)),
                          ("alternatives, prior and further looks", settings)):
        whole = seconds_of(lambda s=weighed: read_at(window, width, s, loaded), 3, clock)
        alone = seconds_of(lambda s=weighed: log_probs_of(window, width, s, loaded), 3, clock)
        print(f"decode, {name}: {1000 * (whole - alone) / n:.3f} ms/word")


if __name__ == "__main__":
    main()
