"""Writing files: at once or not at all. What is broken off leaves the old file whole."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np

from core.errors import Unreadable


def write_text(path: Path, text: str) -> Path:
    """Write a UTF-8 file at once or not at all. Raises Unreadable naming the folder."""
    return write_bytes(path, text.encode("utf-8"))


def write_png(path: Path, image: np.ndarray) -> Path:
    """Write an (H, W) or (H, W, 3) RGB uint8 image as PNG, at once or not at all."""
    import cv2
    stored = image if image.ndim == 2 else image[:, :, ::-1]
    done, png = cv2.imencode(".png", stored)
    if not done:
        raise Unreadable(f"{path}: the picture could not be encoded as PNG")
    return write_bytes(path, png.tobytes())


def check_folder(folder: Path) -> None:
    """Make sure that files can be written in `folder`, which is made. Raises Unreadable naming it.

    Asked before hours of reading, so that nobody learns of a wrong folder at their end.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except FileExistsError:
        raise Unreadable(f"{folder} is a file, nothing can be written in it; name a folder") from None
    except OSError as error:
        raise Unreadable(f"nothing can be written in {folder}: {error.strerror}; choose another "
                         "folder or make room") from error


def write_bytes(path: Path, content: bytes) -> Path:
    """Write to a temporary neighbour of `path`, then rename. Raises Unreadable naming the folder."""
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.",
                                         suffix=".part", delete=False) as file:
            temporary = file.name
            file.write(content)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)  # a temporary file is private
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise Unreadable(f"{path} cannot be written: {error.strerror}; choose another folder "
                         "or make room") from error
    finally:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
    return path
