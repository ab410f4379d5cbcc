"""How well readers get known words back from the hidden text layer, and what the layer costs.

    python tests/bench/bench_pdf_layer.py DOCUMENTS_DIR [NAME...]

DOCUMENTS_DIR holds NAME.json (items with text and box in px, level "word") beside NAME.png or .jpg.
Per document: words; part of the words that MuPDF, pdfium and poppler (-raw and default) return in
order; mean IoU of MuPDF's boxes with the truth; bytes a word the layer adds, fonts included.
pdfium joins words at a hyphen that ends a line; poppler's default mode orders by its own layout.
"""

import difflib
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pypdfium2

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from pdf_pages import upright_of, words_table

from core import geometry
from core.load import PageSettings, open_source, page
from core.pdf.layer import PageLayer, read_words, write_pdf
from core.pdf.placing import PlacingSettings, placed


def in_order(truth: list[str], found: list[str]) -> float:
    """Part of `truth` in the longest runs it shares with `found`, in order."""
    match = difflib.SequenceMatcher(None, truth, found, autojunk=False)
    return sum(block.size for block in match.get_matching_blocks()) / max(len(truth), 1)


def poppler(path: Path, *options: str) -> list[str]:
    """Words that pdftotext prints."""
    command = ["pdftotext", "-enc", "UTF-8", *options, str(path), "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode().split()


def measure(truth_file: Path, folder: Path) -> str:
    """One line of figures for one document."""
    truth = json.loads(truth_file.read_text(encoding="utf-8"))
    items = [item for item in truth["items"] if item["text"] and " " not in item["text"]]
    texts = [item["text"] for item in items]
    image = next(p for p in map(truth_file.with_suffix, (".png", ".jpg")) if p.exists())
    source = open_source(image)
    shown = page(source.page_source(0), PageSettings())
    words = words_table(texts, geometry.quads_from_boxes([i["box"] for i in items]), [-1] * len(items))
    table = placed(shown, upright_of(shown), words, None, PlacingSettings())
    out, bare = folder / "layer.pdf", folder / "bare.pdf"
    write_pdf(source, [PageLayer(0, shown, table)], out)
    write_pdf(source, [PageLayer(0, shown, replace(table, text=np.full(len(table), "")))], bare)
    found = read_words(out)
    overlap = geometry.iou(geometry.transform_boxes(shown.points_from_page, words.box), found.box)
    pdfium = pypdfium2.PdfDocument(out)[0].get_textpage().get_text_range().split()
    cost = (out.stat().st_size - bare.stat().st_size) / len(texts)
    figures = [f"{truth_file.stem:24} {len(texts):4} words  mupdf {in_order(texts, list(found.text)):.3f}",
               f"iou {overlap.max(1).mean():.3f}", f"pdfium {in_order(texts, pdfium):.3f}",
               f"{cost:.0f} B/word"]
    if shutil.which("pdftotext"):
        figures += [f"poppler -raw {in_order(texts, poppler(out, '-raw')):.3f}",
                    f"default {in_order(texts, poppler(out)):.3f}"]
    return "  ".join(figures)


def main() -> None:
    directory, names = Path(sys.argv[1]), sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        for truth_file in sorted(directory.rglob("*.json")):
            if names and truth_file.stem not in names:
                continue
            if json.loads(truth_file.read_text(encoding="utf-8"))["level"] == "word":
                print(measure(truth_file, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
