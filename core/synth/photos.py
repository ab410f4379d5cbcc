"""Documents with known words, photographed anew: pages of the category `photos`.

Documents are CATEGORY/NAME.json beside CATEGORY/NAME.png or .jpg; the JSON has `items`, each with
`text` and `box` (x0, y0, x1, y1, px of the image, half-open). What is written has the same form.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from core.errors import Missing, Unreadable
from core.files import write_bytes, write_text
from core.synth.page_transforms import Photo, PhotoSettings, photograph

CATEGORY = "photos"
FORMS = "forms"  # FUNSD's terms are non-commercial: left out unless asked for
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
SEEN = 0.5  # share of a word that must lie in the picture, else it is marked `ignore`
QUALITY = 90  # of the JPEG that is written; the picture has been through its own by then


def documents_in(folder: Path, forms: bool = False) -> list[tuple[Path, Path]]:
    """(JSON, image) of each document under a folder. Raises Missing if there is none."""
    found = []
    for truth in sorted(folder.rglob("*.json")):
        image = next((truth.with_suffix(e) for e in PICTURES
                      if truth.with_suffix(e).exists()), None)
        if image and truth.parent.name != CATEGORY and (forms or truth.parent.name != FORMS):
            found.append((truth, image))
    if not found:
        raise Missing(f"no document (NAME.json beside an image) under {folder}")
    return found


def photograph_documents(folder: Path, out: Path, settings: PhotoSettings, seed: int,
                         forms: bool = False, limit: int = 0) -> list[Path]:
    """Photograph each document under `folder` into out/photos; the JSON files written.

    forms  also those of the category `forms`
    limit  only the first so many; 0 = all
    The i-th document in order of path is photo i of the seed.
    """
    target, written, names = out / CATEGORY, [], set()
    for i, (truth, picture) in enumerate(documents_in(folder, forms)[:limit or None]):
        image = cv2.imread(str(picture), cv2.IMREAD_UNCHANGED)
        if image is None:
            raise Unreadable(f"{picture} cannot be decoded; remove it or replace it")
        image = image[..., :3] if image.ndim == 3 else image
        try:
            page = json.loads(truth.read_text(encoding="utf-8"))
            boxes = np.array([item["box"] for item in page["items"]], np.float32).reshape(-1, 4)
        except (ValueError, KeyError, TypeError) as error:
            raise Unreadable(f"{truth} is no document ({error}); it needs `items` with text and "
                             "box") from error
        photo = photograph(image, boxes, settings, seed, i)
        name, n = truth.stem, 2
        while name in names:
            name, n = f"{truth.stem}-{n}", n + 1
        names.add(name)
        packed = cv2.imencode(".jpg", photo.image, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))[1]
        write_bytes(target / f"{name}.jpg", packed.tobytes())
        written.append(target / f"{name}.json")
        write_text(written[-1], _truth(page, photo, seed, i))
    return written


def _truth(page: dict, photo: Photo, seed: int, i: int) -> str:
    """The JSON of a photo: the page's own, its boxes carried along, words out of sight ignored."""
    height, width = photo.image.shape[:2]
    clipped = np.clip(photo.box, 0, [width, height, width, height])
    area = np.prod(photo.box[:, 2:] - photo.box[:, :2], 1)
    seen = np.prod(clipped[:, 2:] - clipped[:, :2], 1) / np.maximum(area, 1e-6)
    items = []
    for item, box, share in zip(page["items"], clipped, seen):
        carried = {**item, "box": [int(np.floor(box[0])), int(np.floor(box[1])),
                                   int(np.ceil(box[2])), int(np.ceil(box[3]))]}
        items.append(carried if share >= SEEN else {**carried, "ignore": True})
    head = {**page, "category": CATEGORY, "size": [width, height],
            "source": f"{page.get('source', '')} (photographed by synth, seed {seed}, {i})"}
    head["items"] = items
    return json.dumps(head, ensure_ascii=False, indent=None)
