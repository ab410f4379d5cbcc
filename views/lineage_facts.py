"""What is known about rows, in words: the road of one row, and everything in a region of the page.

No Qt here. `LineagePanel` turns the `Node`s into a tree; `as_text` is what is copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.reading import STAGES, Attempts, Blobs, Buckets, Lineage, Reading, Ref, Segments
from views.layers import STAGE_KEYS, caption, fate_text, layer_rows

ROWS_SHOWN = 60       # rows listed per stage; more are counted
SINGULAR = {"boxes": "box"}
TOP_SHOWN = 8         # readings of the net listed per transcript


@dataclass(frozen=True)
class Node:
    """One line of the tree: a name, a value, perhaps a row one can go to, and what is below.

    window      the crop of a segment, for nodes that show it
    characters  (character, confidence 0..1) of a transcript, for nodes that colour it
    open        whether it is worth unfolding at first
    """

    name: str
    value: str = ""
    ref: Ref | None = None
    children: tuple[Node, ...] = ()
    window: Window | None = None
    characters: tuple[tuple[str, float], ...] = ()
    open: bool = False


@dataclass(frozen=True)
class Window:
    """A segment's crop: pixels (32, width) uint8, span (2,) window px, names of its two ends."""

    pixels: NDArray[np.uint8]
    span: tuple[float, float]
    ends: tuple[str, str]


# ---- the road of one row -----------------------------------------------------------------------

def road(reading: Reading, lineage: Lineage, settings: Any = None) -> list[Node]:
    """One node per stage on the road of the picked row, from the page to the PDF box.

    settings: with a field `buckets` (a settings dataclass), its limits are told beside the bucket.
    """
    nodes = []
    for stage in STAGES:
        table, rows = reading.table(stage), lineage.rows.get(stage)
        if table is None or rows is None or not len(rows):
            continue
        rows = rows[rows < len(table)]
        if stage == "attempts":
            rows = _tried_with(reading, rows)
        nodes.append(_stage_node(reading, stage, rows, lineage.picked, settings))
    return nodes


def _tried_with(reading: Reading, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """All attempts on the same transcripts: the refused ones explain the chosen."""
    parents = reading.attempts.parents
    return parents.children_of(parents.of_rows(rows))


def _stage_node(reading: Reading, stage: str, rows: NDArray[np.int64], picked: Ref | None,
                settings: Any) -> Node:
    name = f"{STAGE_KEYS[stage]} {stage}"
    if len(rows) == 1:
        ref = Ref(stage, int(rows[0]))
        return Node(name, short(reading, ref), ref, facts(reading, ref, settings), open=True)
    shown = _listed(rows, picked.row if picked and picked.table == stage else None)
    children = [_row_node(reading, Ref(stage, int(row)), settings,
                          picked == Ref(stage, int(row))) for row in shown]
    if len(shown) < len(rows):
        children.append(Node(f"and {len(rows) - len(shown):,} more"))
    return Node(name, f"{len(rows):,} rows", None, tuple(children),
                open=stage in ("attempts", "words", "transcripts", "segments"))


def _listed(rows: NDArray[np.int64], picked: int | None) -> list[int]:
    shown = rows[:ROWS_SHOWN].tolist()
    return shown if picked is None or picked in shown else [picked, *shown[:-1]]


def _row_node(reading: Reading, ref: Ref, settings: Any, open_: bool) -> Node:
    return Node(f"{SINGULAR.get(ref.table, ref.table.removesuffix('s'))} {ref.row}",
                short(reading, ref), ref, facts(reading, ref, settings), open=open_)


def short(reading: Reading, ref: Ref) -> str:
    """The row in a few words, without its name."""
    if ref.table == "page":
        return f"{reading.page.size[0]} × {reading.page.size[1]} px, {reading.page.dpi:g} dpi"
    if ref.table == "upright":
        turns = reading.upright.quarter_turns
        return f"turned {90 * turns}°" if turns else "not turned"
    text = caption(reading, ref.table, ref.row).partition(" · ")[2]
    if ref.table == "attempts":
        text += f" · score {reading.attempts.score[ref.row]:.2f} · {reading.attempts.reason[ref.row]}"
    return text


def facts(reading: Reading, ref: Ref, settings: Any = None) -> tuple[Node, ...]:
    """All that the stage recorded about one row."""
    table, row = reading.table(ref.table), ref.row
    told = _FACTS[ref.table](reading, table, row)
    if ref.table == "buckets" and is_dataclass(getattr(settings, "buckets", None)):
        limits = settings.buckets
        told += [Node(f"limit {f.name}", f"{getattr(limits, f.name)}") for f in fields(limits)]
    return tuple(told)


def _page(reading: Reading, page, row: int) -> list[Node]:
    nodes = [Node("size", f"{page.size[0]} × {page.size[1]} px"), Node("dpi", f"{page.dpi:g}"),
             Node("digest", page.digest)]
    return nodes + ([Node("note", page.note)] if page.note else [])


def _upright(reading: Reading, upright, row: int) -> list[Node]:
    scores = ", ".join(f"{90 * i}° {score:.2f}" for i, score in enumerate(upright.scores))
    nodes = [Node("turn needed", f"{scores} (counterclockwise)")]
    return nodes + ([Node("why", upright.reason)] if upright.reason else [])


def _blob(reading: Reading, blobs, row: int) -> list[Node]:
    variation = float(blobs.variation[row])
    return [Node("fate", fate_text(blobs, row)),
            Node("area", f"{blobs.area[row]:,} px"), Node("box", box_text(blobs.box[row])),
            Node("polarity", Blobs.POLARITIES[blobs.polarity[row]]),
            Node("level", f"{blobs.level[row]}"),
            Node("variation", f"{variation:.3g}" if np.isfinite(variation) else "not known"),
            _relative("inside of blob", Ref("blobs", int(blobs.tree_parent[row])))]


def _relative(name: str, ref: Ref) -> Node:
    return Node(name, f"{ref.row}", ref) if ref.row >= 0 else Node(name, "none")


def _line(reading: Reading, lines, row: int) -> list[Node]:
    return [Node("fate", fate_text(lines, row)), Node("x-height", f"{lines.x_height[row]:.1f} px"),
            Node("box", box_text(lines.box[row])),
            Node("polarity", Blobs.POLARITIES[lines.polarity[row]]),
            Node("blobs", f"{len(lines.parents.of(row))}")]


def _box(reading: Reading, boxes, row: int) -> list[Node]:
    gap, limit = float(boxes.gap[row]), float(boxes.gap_limit[row])
    told = (f"{gap:.1f} px, word gap from {limit:.1f} px" if np.isfinite(gap)
            else f"first of its line (word gap from {limit:.1f} px)")
    return [Node("fate", fate_text(boxes, row)), Node("gap before", told),
            Node("box", box_text(boxes.box[row])),
            Node("polarity", Blobs.POLARITIES[boxes.polarity[row]]),
            _relative("line", Ref("lines", int(boxes.line[row]))),
            Node("blobs", f"{len(boxes.parents.of(row))}")]


def _segment(reading: Reading, segments, row: int) -> list[Node]:
    ends = tuple(Segments.CUTS[code] for code in segments.cut[row])
    width, (start, stop) = int(segments.width[row]), segments.span[row].tolist()
    window = Window(segments.window[row][:, :width], (start, stop), ends)
    return [Node("window", f"{width} × {segments.window.shape[1]} px", window=window),
            Node("left end", ends[0]), Node("right end", ends[1]),
            Node("own part", f"{start:.0f} to {stop:.0f} of {width} window px"),
            Node("made of boxes", ", ".join(map(str, segments.parents.of(row).tolist())))]


def _transcript(reading: Reading, transcripts, row: int) -> list[Node]:
    start, stop = transcripts.char_offsets[row:row + 2]
    confidence = transcripts.char_confidence[start:stop].tolist()
    pairs = tuple(zip(str(transcripts.text[row]), confidence, strict=False))
    first, last = transcripts.top_offsets[row:row + 2].tolist()
    shown = range(first, min(last, first + TOP_SHOWN))
    top = tuple(Node(f"{i - first + 1}", f"“{transcripts.top_text[i]}”  "
                                         f"log probability {transcripts.top_score[i]:.2f}")
                for i in shown)
    alone = str(transcripts.path_text[row])
    outweighed = [Node("at first sight", f"“{alone}”; further looks or a likelier text outweighed it")] \
        if alone != transcripts.text[row] else []
    return [Node("text", f"“{transcripts.text[row]}”"), *outweighed,
            Node("confidence", f"{transcripts.confidence[row]:.3f}"),
            Node("characters", "  ".join(f"{c} {p:.2f}" for c, p in pairs), characters=pairs),
            Node("best readings", f"{last - first}", children=top, open=True)]


def _bucket(reading: Reading, buckets, row: int) -> list[Node]:
    nodes = [Node("bucket", Buckets.BUCKETS[buckets.bucket[row]])]
    if reading.transcripts is not None:
        confidence = reading.transcripts.confidence[buckets.parents.of(row)]
        nodes.append(Node("confidence", ", ".join(f"{c:.3f}" for c in confidence)))
    return nodes


def _attempt(reading: Reading, attempts, row: int) -> list[Node]:
    return [Node("text", f"“{attempts.text[row]}”"), Node("move", Attempts.MOVES[attempts.move[row]]),
            Node("chosen", "yes" if attempts.chosen[row] else "no"),
            Node("score", f"{attempts.score[row]:.3f}"), Node("reason", str(attempts.reason[row])),
            Node("in the lexicon", "yes" if attempts.in_lexicon[row] else "no")]


def _word(reading: Reading, words, row: int) -> list[Node]:
    return [Node("text", f"“{words.text[row]}”"), Node("confidence", f"{words.confidence[row]:.3f}"),
            Node("box", box_text(words.box[row])),
            _relative("line", Ref("lines", int(words.line[row]))),
            Node("characters of its attempt", f"{words.char_start[row]} to {words.char_end[row]}")]


def _placed(reading: Reading, placed, row: int) -> list[Node]:
    corners = "  ".join(f"({x:.1f}, {y:.1f})" for x, y in placed.quad[row].tolist())
    return [Node("text", f"“{placed.text[row]}”"), Node("corners, pt", corners),
            Node("font size", f"{placed.font_size[row]:.2f} pt"),
            Node("stretch", f"{placed.stretch[row]:.1f} %"),
            Node("space after", f"{placed.space_after[row]:.2f} pt")]


_FACTS: dict[str, Callable[..., list[Node]]] = {
    "page": _page, "upright": _upright, "blobs": _blob, "lines": _line, "boxes": _box,
    "segments": _segment, "transcripts": _transcript, "buckets": _bucket, "attempts": _attempt,
    "words": _word, "placed": _placed}


def box_text(box: NDArray) -> str:
    """"20, 40 to 100, 70 (80 × 30 px)"."""
    x0, y0, x1, y1 = np.asarray(box, float).tolist()
    return f"{x0:.0f}, {y0:.0f} to {x1:.0f}, {y1:.0f} ({x1 - x0:.0f} × {y1 - y0:.0f} px)"


# ---- a region of the page ----------------------------------------------------------------------

REGION_STAGES = ("blobs", "lines", "boxes", "transcripts", "attempts", "words")


def region(reading: Reading, box: NDArray) -> list[Node]:
    """Every row in the region (4,), upright px, grouped by fate: why is there nothing here?

    A row counts when its centre lies in the region; lines, boxes and readings also when they
    cover the region's centre, because a small region lies inside a long line.
    """
    nodes = [Node("region", box_text(box))]
    for stage in REGION_STAGES:
        rows = layer_rows(reading, stage)
        if rows is None:
            nodes.append(Node(f"{STAGE_KEYS[stage]} {stage}", "not made yet"))
            continue
        here = geometry.rows_within(rows.box, box)
        if stage != "blobs":
            middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
            here = np.union1d(here, geometry.rows_at(rows.box, *middle))
        nodes.append(_region_node(reading, stage, here))
    return nodes


def _region_node(reading: Reading, stage: str, rows: NDArray[np.int64]) -> Node:
    name = f"{STAGE_KEYS[stage]} {stage}"
    if not len(rows):
        return Node(name, "none here")
    table = reading.table(stage)
    if getattr(table, "fate", None) is not None:
        groups = [(table.FATES[code], rows[table.fate[rows] == code])
                  for code in np.unique(table.fate[rows]).tolist()]
    elif stage == "transcripts" and reading.buckets is not None:
        bucket = reading.buckets.bucket[_bucket_rows(reading, rows)]
        groups = [(Buckets.BUCKETS[code], rows[bucket == code]) for code in np.unique(bucket).tolist()]
    else:
        return Node(name, f"{len(rows):,}", children=_rows_below(reading, stage, rows), open=True)
    refused = sum(len(some) for label, some in groups if label not in ("kept", "keep", "look up"))
    children = tuple(Node(label, f"{len(some):,}", children=_rows_below(reading, stage, some),
                          open=len(some) <= 6) for label, some in groups)
    return Node(name, f"{len(rows):,} here, {refused:,} refused", children=children, open=True)


def _bucket_rows(reading: Reading, transcripts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The bucket row of each transcript (one each)."""
    row_of = np.zeros(len(reading.transcripts), np.int64)
    row_of[reading.buckets.parents.rows] = np.arange(len(reading.buckets))
    return row_of[transcripts]


def _rows_below(reading: Reading, stage: str, rows: NDArray[np.int64]) -> tuple[Node, ...]:
    nodes = [_row_node(reading, Ref(stage, int(row)), None, False) for row in rows[:ROWS_SHOWN]]
    if len(rows) > ROWS_SHOWN:
        nodes.append(Node(f"and {len(rows) - ROWS_SHOWN:,} more"))
    return tuple(nodes)


def as_text(nodes: Iterable[Node], depth: int = 0) -> str:
    """The tree as indented lines."""
    lines = []
    for node in nodes:
        lines.append("  " * depth + (f"{node.name}: {node.value}" if node.value else node.name))
        if node.children:
            lines.append(as_text(node.children, depth + 1))
    return "\n".join(lines)
