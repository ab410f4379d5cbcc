"""A reading written down: JSON, plain text, TSV, hOCR, and a picture of each stage.

Words are given in page px: origin at the top left of the page as a viewer shows it, y down.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from core.engines.engine import PageWords, page_words
from core.reading import Reading, Table

DECIMALS = 2  # of px and confidences in text formats; a tenth of a pixel says nothing
PAGE_BREAK = "\f"  # between the pages of a text file, as pdftotext writes it
# Columns too large to be written as text: pixels and probabilities.
PIXELS = ("image", "gray", "window", "log_probs")


@dataclass(frozen=True)
class ReadPage:
    """What the text formats need of one page's reading.

    number 1-based; size (width, height) page px; quarter_turns counterclockwise; words in page px
    """

    number: int
    size: tuple[int, int]
    quarter_turns: int
    words: PageWords


def read_page_of(reading: Reading, number: int) -> ReadPage:
    """The words of a reading as page `number` (1-based)."""
    turns = reading.upright.quarter_turns if reading.upright is not None else 0
    return ReadPage(number, reading.page.size, int(turns), page_words(reading))


def lines_of(words: PageWords) -> list[list[int]]:
    """Rows of the words of each line, lines in the order in which their first word comes."""
    lines: dict[int, list[int]] = {}
    for row, line in enumerate(words.line):
        lines.setdefault(int(line), []).append(row)
    return list(lines.values())


def to_json(file: str, pages: Sequence[ReadPage]) -> str:
    """`{file, pages: [{page, size, quarter_turns, words: [{text, box, quad, confidence, line}]}]}`."""
    return json.dumps({"file": file, "pages": [
        {"page": p.number, "size": list(p.size), "quarter_turns": p.quarter_turns,
         "words": [_word(p.words, i) for i in range(len(p.words))]} for p in pages]},
        ensure_ascii=False, indent=1) + "\n"


def _word(words: PageWords, i: int) -> dict:
    return {"text": str(words.text[i]), "box": _numbers(words.box[i]),
            "quad": [_numbers(corner) for corner in words.quad[i]],
            "confidence": round(float(words.confidence[i]), 4), "line": int(words.line[i])}


def _numbers(values) -> list[float]:
    return [round(float(v), DECIMALS) for v in values]


def to_txt(pages: Sequence[ReadPage]) -> str:
    """A line of text per line of the page; pages are parted by a form feed."""
    texts = ["".join(" ".join(str(p.words.text[i]) for i in line) + "\n"
                     for line in lines_of(p.words)) for p in pages]
    return PAGE_BREAK.join(texts)


def to_tsv(pages: Sequence[ReadPage]) -> str:
    """One word per row: page, line, x0 y0 x1 y1 (page px), confidence, text; no quoting."""
    rows = ["page\tline\tx0\ty0\tx1\ty1\tconfidence\ttext"]
    for p in pages:
        for i in range(len(p.words)):
            box = "\t".join(f"{v:g}" for v in _numbers(p.words.box[i]))
            rows.append(f"{p.number}\t{p.words.line[i]}\t{box}\t"
                        f"{p.words.confidence[i]:.4f}\t{p.words.text[i]}")
    return "\n".join(rows) + "\n"


def to_hocr(file: str, pages: Sequence[ReadPage]) -> str:
    """hOCR 1.2 with ocr_page, ocr_line and ocrx_word; boxes in page px."""
    body = []
    for p in pages:
        body.append(f'<div class="ocr_page" id="page_{p.number}" title="image &quot;{escape(file)}'
                    f'&quot;; bbox 0 0 {p.size[0]} {p.size[1]}; ppageno {p.number - 1}">')
        for n, line in enumerate(lines_of(p.words)):
            box = p.words.box[line]
            bound = [*box[:, :2].min(0), *box[:, 2:].max(0)]
            body.append(f'<span class="ocr_line" id="line_{p.number}_{n}" title="{_bbox(bound)}">')
            body += [f'<span class="ocrx_word" id="word_{p.number}_{i}" '
                     f'title="{_bbox(p.words.box[i])}; x_wconf '
                     f'{round(100 * float(p.words.confidence[i]))}">'
                     f'{escape(str(p.words.text[i]))}</span>' for i in line]
            body.append("</span>")
        body.append("</div>")
    return ('<?xml version="1.0" encoding="UTF-8"?>\n'
            '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" '
            '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n'
            '<html xmlns="http://www.w3.org/1999/xhtml"><head>'
            f'<title>{escape(file)}</title>'
            '<meta http-equiv="Content-Type" content="text/html;charset=utf-8"/>'
            '<meta name="ocr-system" content="ocr-workbench"/>'
            '<meta name="ocr-capabilities" content="ocr_page ocr_line ocrx_word"/></head>\n<body>\n'
            + "\n".join(body) + "\n</body></html>\n")


def _bbox(box) -> str:
    return "bbox " + " ".join(str(round(float(v))) for v in box)


def table_to_json(table: Table) -> str:
    """A stage's table as JSON: a list of rows; codes are spelled out, pixels left out."""
    rows = [_row(table, i) for i in range(len(table))]
    return json.dumps({"stage": table.name, "rows": rows}, ensure_ascii=False, indent=1) + "\n"


def _row(table: Table, i: int) -> dict:
    row = {column: _plain(getattr(table, column)[i], _names(table, column))
           for column in table.ROWS if column not in PIXELS}
    if not table.ROWS:  # page and upright: one row, no columns
        for name, value in vars(table).items():
            if name not in PIXELS and name != "parents":
                row[name] = value.tolist() if isinstance(value, np.ndarray) else value
    parents = getattr(table, "parents", None)
    if parents is not None:
        row["parents"] = {"table": parents.table, "rows": parents.of(i).tolist()}
    return row


def _names(table: Table, column: str) -> tuple[str, ...]:
    """The names of a column of codes, which its class keeps in capitals: fate in FATES."""
    if column == "polarity":
        return ("dark on light", "light on dark")
    return getattr(table, {"fate": "FATES", "bucket": "BUCKETS", "move": "MOVES",
                           "cut": "CUTS"}.get(column, ""), ())


def _plain(value, names: tuple[str, ...]):
    value = np.asarray(value)
    if names:
        spelled = [names[code] for code in value.ravel()]
        return spelled if value.ndim else spelled[0]
    if value.dtype.kind == "f":
        value = np.round(value.astype(np.float64), 4)
        return json.loads(json.dumps(value.tolist()).replace("NaN", "null").replace("-Infinity", "null")
                          .replace("Infinity", "null"))
    return value.tolist()
