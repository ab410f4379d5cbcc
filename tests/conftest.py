"""Qt without a display, and where the resources are."""

import os
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import cv2  # imported first of all, so that what it sets can be taken away again
import pytest

# opencv-python carries a Qt of its own and points ours at its plugins and fonts.
for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
    os.environ.pop(name, None)
cv2.setNumThreads(1)

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def resources() -> Path:
    """The folder of models, lexicon, fonts and samples."""
    return ROOT / "resources"
