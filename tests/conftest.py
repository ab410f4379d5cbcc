"""Qt without a display, and where the resources are."""

import gc
import os
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import cv2  # imported first of all, so that what it sets can be taken away again
import pytest

# opencv-python carries a Qt of its own and points ours at its plugins and fonts.
for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
    os.environ.pop(name, None)
cv2.setNumThreads(1)

gc.disable()  # as in the application: Qt objects must not be destroyed in another thread

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def resources() -> Path:
    """The folder of models, lexicon, fonts and samples."""
    return ROOT / "resources"


def pytest_runtest_logfinish() -> None:
    """Between two tests, in the thread that owns the Qt objects, collect what is due."""
    for generation in (2, 1, 0):
        if gc.get_count()[generation] > gc.get_threshold()[generation]:
            gc.collect(generation)
            return
