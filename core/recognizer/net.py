"""The Word Deep Net: CNN + bidirectional LSTM + CTC classes over word windows of 32 px.

The shape follows CRNN (Shi, Bai, Yao 2015, "An end-to-end trainable neural network for image-based
sequence recognition") with strided convolutions instead of pooling and one LSTM layer.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from core.errors import Mismatch, Missing
from core.recognizer import alphabet
from core.recognizer.architecture import BEYOND, TIME_STRIDE, NetSettings
from core.recognizer.calibration import Calibration
from core.recognizer.window import standardise

UNCALIBRATED = Calibration()

NEVER = -100.0  # score of a class that is never read


class WordNet(nn.Module):
    """Standardised windows (B, 1, 32, W) -> class scores (B, W / 4, C), not yet normalised."""

    def __init__(self, settings: NetSettings) -> None:
        super().__init__()
        self.settings = settings
        stem, *stages = settings.channels
        layers = _conv(1, stem, kernel=(5, 5), stride=(2, 2), padding=(2, 2))
        before = stem
        for k, after in enumerate(stages):
            # the first stage halves the width once more, the others only the height
            layers += _conv(before, after, stride=(2, 2 if k == 0 else 1))
            for _ in range(settings.depth - 1):
                layers += _conv(after, after)
            before = after
        layers += _conv(before, before, kernel=(2, 1), padding=(0, 0))  # height 2 -> 1
        self.cnn = nn.Sequential(*layers)
        self.lstm = nn.LSTM(before, settings.hidden, num_layers=settings.layers,
                            batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(settings.dropout)
        self.out = nn.Linear(2 * settings.hidden, alphabet.N_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.cnn(x)                     # (B, C, 1, T)
        x = x.squeeze(2).transpose(1, 2)    # (B, T, C)
        x, _ = self.lstm(x)                 # (B, T, 2 * hidden)
        # the LSTM's memory is (T, B, C): oneDNN takes 25 times as long to multiply it as it lies
        return self.out(self.dropout(x.contiguous()))  # (B, T, C)


def _conv(before: int, after: int, kernel: tuple[int, int] = (3, 3),
          stride: tuple[int, int] = (1, 1), padding: tuple[int, int] = (1, 1)) -> list[nn.Module]:
    """Convolution, batch norm, ReLU; no bias, the norm has one."""
    return [nn.Conv2d(before, after, kernel, stride, padding, bias=False),
            nn.BatchNorm2d(after), nn.ReLU(inplace=True)]


def n_parameters(net: nn.Module) -> int:
    """Trainable numbers in the net."""
    return sum(p.numel() for p in net.parameters())


def fold_norms(net: WordNet) -> WordNet:
    """The same net with each batch norm merged into the convolution before it (eval mode)."""
    net.eval()
    merged: list[nn.Module] = []
    for layer in net.cnn:
        if isinstance(layer, nn.BatchNorm2d):
            merged[-1] = fuse_conv_bn_eval(merged[-1], layer)
        else:
            merged.append(layer)
    net.cnn = nn.Sequential(*merged)
    return net


def has_bf16() -> bool:
    """Whether this CPU multiplies bfloat16 in tiles (AMX); elsewhere float32 is faster, also where
    AVX-512 has bfloat16 (1.2 against .8 ms a word)."""
    try:
        return bool(torch.cpu._is_amx_tile_supported())
    except AttributeError:  # other architectures' builds lack the check
        return False


class LoadedNet:
    """A net ready to read: batch norms folded, bfloat16 where the CPU has it, no gradients.

    digest identifies the weights (it is part of a stage's key); name is the file's name;
    calibration makes confidences of its probabilities.
    """

    def __init__(self, net: WordNet, name: str, digest: str, bf16: bool | None = None,
                 calibration: Calibration = UNCALIBRATED) -> None:
        self.settings, self.name, self.digest = net.settings, name, digest
        self.calibration = calibration
        self.dtype = torch.bfloat16 if (has_bf16() if bf16 is None else bf16) else torch.float32
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.net = fold_norms(net).to(self.device, self.dtype).to(memory_format=torch.channels_last)
        self.net.requires_grad_(False)

    def log_probs(self, window: NDArray[np.uint8], width: NDArray[np.int32]) -> NDArray[np.float32]:
        """(n, W / 4, C) natural log probabilities of windows (n, 32, W) uint8, dark on light.

        width: (n,) px in use; the rest is padding, and its time steps come back as blank.
        """
        full = window.shape[2]
        steps = full // TIME_STRIDE
        x = torch.from_numpy(standardise(window, width)).unsqueeze(1).to(self.device, self.dtype)
        with torch.inference_mode():
            scores = self.net(x.contiguous(memory_format=torch.channels_last))
            found = torch.log_softmax(scores.float(), 2).cpu().numpy()  # (n, T, C)
        beyond = np.arange(steps)[None] >= -(-np.asarray(width) // TIME_STRIDE)[:, None]
        found[beyond] = BEYOND
        found[beyond, alphabet.BLANK] = 0.0
        return found


def save(net: WordNet, path: Path, samples: int, card: str = "",
         calibration: Calibration = UNCALIBRATED) -> None:
    """Write weights as fp16 with settings and alphabet, atomically.

    samples: how many training samples the net has seen; card: a sentence about data and licences.
    """
    weights = {name: t.detach().cpu().to(torch.float16) if t.is_floating_point() else t.cpu()
               for name, t in net.state_dict().items() if not name.endswith("num_batches_tracked")}
    content = {"kind": "word net", "settings": _plain(asdict(net.settings)),
               "alphabet": alphabet.CHARACTERS, "digest": alphabet.DIGEST,
               "samples": int(samples), "card": card, "weights": weights,
               "calibration": calibration.to_plain()}
    write_atomically(content, path)


def save_calibration(path: Path, calibration: Calibration) -> None:
    """Store a calibration in a weights file, atomically. Raises Missing or Mismatch."""
    _, content = load_raw(path)
    write_atomically({**content, "calibration": calibration.to_plain()}, path)


def write_atomically(content: dict, path: Path) -> None:
    """torch.save beside `path`, then renamed over it, so that a kill leaves the old file whole."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(temporary, "wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def widen(weights: dict, score: float = NEVER) -> None:
    """Add classes to weights made for the first classes of the alphabet, in place.

    score  of each added class in every time step; NEVER lets the net read as before
    """
    more = alphabet.N_CLASSES - len(weights["out.bias"])
    weights["out.weight"] = longer(weights["out.weight"], more)
    weights["out.bias"] = longer(weights["out.bias"], more, score)


def longer(values: Tensor, more: int, fill: float = 0.0) -> Tensor:
    """`values` with `more` rows of `fill` behind them."""
    return torch.cat([values, values.new_full((more, *values.shape[1:]), fill)])


def _plain(settings: dict) -> dict:
    """Tuples as lists: weights_only loading accepts nothing but plain containers and tensors."""
    return {name: list(v) if isinstance(v, tuple) else v for name, v in settings.items()}


def load_raw(path: Path) -> tuple[WordNet, dict]:
    """(net in float32 as trained, the file's other entries). Raises Missing or Mismatch."""
    path = Path(path)
    if not path.is_file():
        raise Missing(f"{path}: no such weights; train them with `python main.py train words` "
                      "or restore resources/models")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        kind = content["kind"]
    except Exception as error:  # torch raises half a dozen kinds here
        raise Mismatch(f"{path} is no weights file of this program ({error}); "
                       "restore it") from error
    if kind != "word net":
        raise Mismatch(f"{path} holds a {kind}, not the Word Deep Net")
    alphabet.check(content["digest"], str(path), content["alphabet"])
    widen(content["weights"])
    net = WordNet(NetSettings(**content["settings"]))
    try:
        missing, surplus = net.load_state_dict(
            {name: t.float() if t.is_floating_point() else t
             for name, t in content["weights"].items()}, strict=False)
    except RuntimeError as error:  # a tensor of another shape
        raise Mismatch(f"{path}: weights do not fit their settings: {error}") from error
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or surplus:
        raise Mismatch(f"{path}: weights do not fit their settings "
                       f"({', '.join([*missing, *surplus][:3])})")
    return net, content


def load(path: Path, bf16: bool | None = None) -> LoadedNet:
    """The net of a weights file, ready to read.

    bf16: None = where the CPU has it. Raises Missing when the file is not there, Mismatch when it
    belongs to another alphabet or program.
    """
    net, content = load_raw(path)
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]
    return LoadedNet(net, Path(path).name, digest, bf16,
                     Calibration(**content.get("calibration", {})))
