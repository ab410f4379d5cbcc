"""The orientation net: how upright a tile of text looks, for each of its four turns.

One small CNN scores a tile; the tile's four turns are scored by the same weights and compared.
So the four answers are treated exactly alike: no turn can be favoured by the net itself.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.errors import Mismatch, Missing
from core.orientation.tiles import TILE, standardise
from core.recognizer.net import write_atomically

KIND = "orientation net"
CHANNELS = (16, 32, 64, 96)


class UprightNet(nn.Module):
    """Standardised tiles (B, 1, S, S) -> how upright each looks (B,), any real number."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 1
        for k, after in enumerate(CHANNELS):
            size = 5 if k == 0 else 3
            layers += [nn.Conv2d(before, after, size, 2, size // 2, bias=False),
                       nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
            before = after
        layers += [nn.Conv2d(before, before, 3, 1, 1, bias=False), nn.BatchNorm2d(before),
                   nn.ReLU(inplace=True)]
        self.cnn = nn.Sequential(*layers)
        self.out = nn.Sequential(nn.Dropout(0.1), nn.Linear(2 * before, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.cnn(x)                                     # (B, 96, S / 16, S / 16)
        x = torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)  # (B, 192)
        return self.out(x)[:, 0]                            # (B,)


def turned_scores(net: nn.Module, x: Tensor) -> Tensor:
    """(B, 4) scores: column k for the tile turned k quarters counterclockwise."""
    four = torch.cat([torch.rot90(x, k, (2, 3)) for k in range(4)])  # (4 B, 1, S, S)
    return net(four).view(4, len(x)).t()


class LoadedUprightNet:
    """The net ready to use; digest identifies its weights."""

    def __init__(self, net: UprightNet, name: str, digest: str) -> None:
        self.net, self.name, self.digest = net.eval(), name, digest
        self.net.requires_grad_(False)

    def log_scores(self, tile: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, 4) log probabilities that tile i (n, S, S) needs 0, 1, 2, 3 quarter turns
        counterclockwise to be upright."""
        if not len(tile):
            return np.zeros((0, 4), np.float32)
        with torch.inference_mode():
            x = torch.from_numpy(standardise(tile)).unsqueeze(1)
            return turned_scores(self.net, x).log_softmax(1).numpy()


def save(net: UprightNet, path: Path, samples: int, card: str = "") -> None:
    """Write the weights as fp16, atomically."""
    weights = {n: t.detach().cpu().half() if t.is_floating_point() else t.cpu()
               for n, t in net.state_dict().items() if not n.endswith("num_batches_tracked")}
    write_atomically({"kind": KIND, "channels": list(CHANNELS), "tile": TILE, "samples": samples,
                      "card": card, "weights": weights}, path)


def load(path: Path) -> LoadedUprightNet:
    """The net of a weights file. Raises Missing or Mismatch."""
    path = Path(path)
    if not path.is_file():
        raise Missing(f"{path}: no such weights; train them with `python main.py train "
                      "orientation`, restore resources/models, or switch turning off")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        fits = content["kind"] == KIND and tuple(content["channels"]) == CHANNELS
    except Exception as error:  # torch raises half a dozen kinds here
        raise Mismatch(f"{path} is no weights file of this program ({error}); "
                       "restore it") from error
    if not fits:
        raise Mismatch(f"{path} does not hold the orientation net of this version; restore it")
    net = UprightNet()
    net.load_state_dict({n: t.float() if t.is_floating_point() else t
                         for n, t in content["weights"].items()}, strict=False)
    return LoadedUprightNet(net, path.name, hashlib.sha256(path.read_bytes()).hexdigest()[:16])
