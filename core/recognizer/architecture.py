"""The shape of the Word Deep Net as settings, free of torch so that anything may read them."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import Usage
from core.parameters import check_limits, param

TIME_STRIDE = 4  # window px per time step: two layers halve the width
# Time steps beyond a window's own width say "blank", so that no decoder needs its length.
BEYOND = -50.0  # log probability of any character there; exp(-50) is nothing, float16 holds it


@dataclass(frozen=True)
class NetSettings:
    """Size of the net. The defaults are "M": 1.28 million parameters, 230 MFLOP for 160 px.

    "L" is channels=(48, 96, 192, 288), hidden=192: 2.8 million.
    """

    channels: tuple[int, ...] = (32, 64, 128, 192)  # stem and three stages
    depth: int = param(2, unit="layers", low=1, high=4, help="convolutions per stage")
    hidden: int = param(128, unit="units", low=4, high=1024, help="LSTM units per direction")
    layers: int = param(1, low=1, high=3, help="bidirectional LSTM layers")
    dropout: float = param(0.1, low=0.0, high=0.9, help="before the last layer, while training")
    max_width: int = param(256, unit="px", low=32, high=2048,
                           help="widest window the net was trained on; longer text is chopped")

    def __post_init__(self) -> None:
        check_limits(self)
        object.__setattr__(self, "channels", tuple(int(c) for c in self.channels))
        if len(self.channels) != 4 or min(self.channels) < 1:
            raise Usage("NetSettings.channels needs four positive numbers: stem and three stages, "
                        "because a window of 32 px is halved five times")
