"""The Wordinator's moves: put chopped pieces together, keep, correct, split, join or drop.

A confident reading is never changed. One in the middle is compared with what the lexicon would
rather have; every reading that was tried becomes a row, chosen or not, with its reason in words.

The score of an attempt is in nats (natural log), higher is better, comparable among attempts on
the same transcripts:

    sum of log character confidences                    what the net thinks of the reading
    + (top score of this text - best top score)         for a text from the net's own list
    - swap_cost per exchanged look-alike                for a text that is not on that list
    + word_bonus per word that lexicon or pattern knows (a fifth per character below five,
                                                        less for capitals)
    - split_cost + gap and boundary evidence            for a space put in (its two words earn
                                                        the bonus once)
    - join_cost                                         for a word gap taken out
    n_characters * log(noise_confidence)                for taking the whole reading for noise
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from core.parameters import check_limits, param
from core.reading import (
    Attempts,
    Boxes,
    Buckets,
    Lines,
    Parents,
    Segments,
    Transcripts,
    text_array,
)
from core.wordinator.buckets import DROP, LOOK_UP
from core.wordinator.characters import Characters, pitch, together

KEEP_MOVE, SPLIT, JOIN, CORRECT, ASSEMBLE, DROP_MOVE = range(6)  # codes of Attempts.MOVES
# Shapes that nets and people mix up in print; each pair is tried in both directions.
LOOK_ALIKES = (("0", "O"), ("0", "o"), ("0", "D"), ("1", "l"), ("1", "I"), ("l", "I"), ("1", "i"),
               ("5", "S"), ("5", "s"), ("8", "B"), ("2", "Z"), ("6", "G"), ("6", "b"), ("9", "g"),
               ("4", "A"), ("7", "T"), ("c", "e"), ("u", "v"), ("i", "l"), ("f", "t"), ("C", "G"),
               ("rn", "m"), ("vv", "w"), ("cl", "d"), ("ri", "n"), ("li", "h"), ("ii", "u"),
               ("|", "I"), ("|", "l"), ("!", "l"), ("$", "S"), ("a", "o"), ("e", "o"), ("n", "h"))
SWAPS = tuple(dict.fromkeys((a, b) for pair in LOOK_ALIKES for a, b in (pair, pair[::-1])))
PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
WEAK_PATTERNS = ("code", "rule")  # forms that a misread word has too: "tota1" looks like a code
CHANCE_LENGTH = 5  # characters; shorter strings are words by chance, so they earn less bonus
CAPITALS_BONUS = 0.6  # of the bonus for a word in capitals: those are often names and abbreviations
USUAL_GAP = 1.15  # median distances of centres: no sign of a space up to here
# Short words that a split may leave standing; other two-letter words are mostly chance.
SHORT_WORDS = frozenset((
    "a", "i", "am", "an", "as", "at", "be", "by", "do", "go", "he", "if", "in", "is", "it",
    "me", "my", "no", "of", "on", "or", "so", "to", "up", "us", "we"))
TINY = 1e-4  # a character confidence of 0 would make the score minus infinity


class Lexicon(Protocol):
    """What the moves ask of `core.lexicon.Lexicon`."""

    def known(self, word: str) -> bool:
        """Whether a word without punctuation around it is in the word list."""

    def pattern(self, text: str) -> str | None:
        """The name of the pattern that the text follows (number, date, code ...), or None."""


@dataclass(frozen=True)
class AttemptSettings:
    """How readily a middle reading is changed; all costs and bonuses are in nats."""

    word_bonus: float = param(2.0, unit="nats", low=0.0, high=20.0, help=(
        "Added per word that the lexicon or a pattern knows; more makes corrections bolder"))
    swap_cost: float = param(1.8, unit="nats", low=0.0, high=20.0, help=(
        "Cost of exchanging one look-alike (0 and O, rn and m); 1.8 is one in six"))
    split_cost: float = param(2.0, unit="nats", low=0.0, high=20.0, help=(
        "Cost of a space that was not read; a wide gap or a change of case pays it back"))
    join_cost: float = param(1.5, unit="nats", low=0.0, high=20.0, help=(
        "Cost of joining two boxes into one word"))
    join_gap: float = param(1.0, unit="word gaps", low=0.0, high=5.0, help=(
        "Boxes are joined only across a gap up to this many times the line's word gap limit; "
        "on a line where the limit is not known, its x-height stands in"))
    sure: float = param(0.95, low=0.0, high=1.0, help=(
        "A character at least this confident is never exchanged for a look-alike"))
    noise_confidence: float = param(0.6, low=0.0, high=1.0, help=(
        "A short or punctuation-only reading that is no word is dropped when its characters are "
        "less confident than this on average"))
    noise_length: int = param(3, unit="characters", low=0, high=20, help=(
        "Unknown readings up to this long may be taken for noise"))

    def __post_init__(self) -> None:
        check_limits(self)


@dataclass(frozen=True)
class Unit:
    """One box's reading, or the pieces of one box: what is looked at as a whole.

    read: its characters; rows: transcripts, left to right; sure: all of them are in the keep bucket
    """

    rows: tuple[int, ...]
    read: Characters
    boxes: tuple[int, ...]
    sure: bool


@dataclass(frozen=True)
class Attempt:
    """One row of the table to be."""

    text: str
    move: int
    score: float
    reason: str
    in_lexicon: bool
    chosen: bool
    rows: tuple[int, ...]


def attempts(boxes: Boxes, lines: Lines, segments: Segments, transcripts: Transcripts,
             buckets: Buckets, settings: AttemptSettings, lexicon: Lexicon) -> Attempts:
    """Every reading tried, in reading order, exactly one chosen per transcript not dropped.

    A chosen join covers the transcripts of two units. A reading found to be noise is covered by a
    chosen `drop` with empty text. Score: see the module.
    """
    units = _units(segments, transcripts, buckets)
    judge = _Judge(settings, lexicon, transcripts)
    found: list[Attempt] = []
    i = 0
    while i < len(units):
        join = None
        if i + 1 < len(units) and _near(units[i], units[i + 1], boxes, lines, settings):
            join = judge.join(units[i], units[i + 1])
        mine = list(judge.readings(units[i]))
        if join is None:
            found += mine
            i += 1
            continue
        theirs = list(judge.readings(units[i + 1]))
        apart = max(a.score for a in mine if a.chosen) + max(a.score for a in theirs if a.chosen)
        won = join.score > apart
        found += [_unchosen(a) if won else a for a in mine]
        found.append(Attempt(join.text, JOIN, join.score, join.reason, True, won, join.rows))
        if won:
            found += [_unchosen(a) for a in theirs]
            i += 2
        else:
            i += 1  # the second unit may still join the one after it
    return _table(found)


def in_lexicon(text: str, lexicon: Lexicon) -> bool:
    """Whether each word of a text, less the punctuation around it, is a known word or pattern."""
    words = text.split()
    return bool(words) and all(_known(word, lexicon) for word in words)


def _known(word: str, lexicon: Lexicon) -> bool:
    bare = word.strip(PUNCTUATION)
    if bare and not any(c.isdigit() for c in bare) and lexicon.known(bare):
        return True
    return any((lexicon.pattern(form) or "rule") not in WEAK_PATTERNS for form in (word, bare) if form)


def _units(segments: Segments, transcripts: Transcripts, buckets: Buckets) -> list[Unit]:
    """Transcripts that were not dropped, pieces of the same box together, in box order."""
    groups: list[tuple[set[int], list[int]]] = []
    by_box: dict[int, int] = {}
    for row in np.flatnonzero(buckets.bucket != DROP):
        mine = {int(b) for b in segments.parents.of(int(transcripts.parents.of(row)[0]))}
        at = next((by_box[b] for b in mine if b in by_box), len(groups))
        if at == len(groups):
            groups.append((set(), []))
        groups[at][0].update(mine)
        groups[at][1].append(int(row))
        by_box.update(dict.fromkeys(mine, at))
    units = []
    for mine, rows in sorted(groups, key=lambda group: (min(group[0], default=0), group[1][0])):
        rows = tuple(sorted(rows, key=lambda r: _start(r, segments, transcripts)))
        sure = bool((buckets.bucket[list(rows)] != LOOK_UP).all())
        units.append(Unit(rows, together(rows, segments, transcripts), tuple(sorted(mine)), sure))
    return units


def _start(row: int, segments: Segments, transcripts: Transcripts) -> float:
    """Where a segment's span begins, upright px along its own axis."""
    segment = int(transcripts.parents.of(row)[0])
    affine = segments.upright_from_window[segment]
    axis = affine[:, 0] / np.hypot(*affine[:, 0])
    return float((affine[:, 0] * segments.span[segment][0] + affine[:, 2]) @ axis)


def _near(a: Unit, b: Unit, boxes: Boxes, lines: Lines, settings: AttemptSettings) -> bool:
    """Whether b's box follows a's on the same line across a gap no wider than a letter gap may be."""
    if not a.boxes or not b.boxes:
        return False
    last, first = a.boxes[-1], b.boxes[0]
    line = boxes.line[first]
    if boxes.line[last] != line or np.isnan(boxes.gap[first]):
        return False
    limit = boxes.gap_limit[first]
    if not np.isfinite(limit):
        limit = lines.x_height[line]
    return bool(boxes.gap[first] <= settings.join_gap * limit)


class _Judge:
    """Settings, lexicon and the net's own lists, so that the moves below read plainly."""

    def __init__(self, settings: AttemptSettings, lexicon: Lexicon,
                 transcripts: Transcripts) -> None:
        self.settings, self.lexicon, self.transcripts = settings, lexicon, transcripts

    def known(self, text: str) -> bool:
        return in_lexicon(text, self.lexicon)

    def bonus(self, text: str) -> float:
        """word_bonus per known word, less for words so short that chance makes them."""
        return self.settings.word_bonus * sum(
            min(len(w) / CHANCE_LENGTH, 1.0) * (CAPITALS_BONUS if w.isupper() else 1.0)
            for w in text.split() if _known(w, self.lexicon))

    def readings(self, unit: Unit) -> Iterator[Attempt]:
        """The attempts on one unit alone, the chosen one among them."""
        base = _log_likelihood(unit.read)
        text = unit.read.text
        move = ASSEMBLE if len(unit.rows) > 1 else KEEP_MOVE
        how = f"{len(unit.rows)} pieces of one box, " if move == ASSEMBLE else ""
        known = self.known(text)
        first = Attempt(text, move, base + self.bonus(text),
                        how + _standing(unit, known), known, True, unit.rows)
        tried = [first]
        if not unit.sure:
            tried += self._changes(unit, base)
            tried += self._noise(unit, known)
        best = max(range(len(tried)), key=lambda i: tried[i].score)  # the first of equals
        for i, attempt in enumerate(tried):
            yield attempt if (i == best) == attempt.chosen else _with_choice(attempt, i == best)

    def _changes(self, unit: Unit, base: float) -> list[Attempt]:
        """Corrections and splits, word by word; where several words gain, all gains at once."""
        text, tried, gains = unit.read.text, [], []
        listed = self._listed(unit)
        for start, end in word_spans(text):
            before, after = text[:start], text[end:]
            own = self.bonus(text[start:end])
            best = None
            for new, cost, move, reason in self._word_changes(unit.read.slice(start, end), listed,
                                                              before, after):
                gain = self.bonus(new) - own - cost
                whole = before + new + after
                tried.append(Attempt(whole, move, base + self.bonus(text) + gain, reason,
                                     self.known(whole), False, unit.rows))
                if gain > 0 and (best is None or gain > best[0]):
                    best = (gain, start, end, new, move, reason)
            if best is not None:
                gains.append(best)
        if len(gains) > 1:
            whole = text
            for _, start, end, new, _, _ in reversed(gains):
                whole = whole[:start] + new + whole[end:]
            move = SPLIT if all(g[4] == SPLIT for g in gains) else CORRECT
            score = base + self.bonus(text) + sum(g[0] for g in gains)
            tried.append(Attempt(whole, move, score, "; ".join(g[5] for g in gains),
                                 self.known(whole), False, unit.rows))
        return _each_text_once(tried)

    def _listed(self, unit: Unit) -> dict[str, float]:
        """The net's own other readings of the whole unit: text -> log probability behind the best."""
        if len(unit.rows) > 1:
            return {}
        t, row = self.transcripts, unit.rows[0]
        start, end = t.top_offsets[row:row + 2]
        texts, scores = t.top_text[start:end], t.top_score[start:end].astype(float)
        if not len(scores):
            return {}
        return {str(text): float(scores.max() - score)
                for text, score in zip(texts, scores, strict=True)}

    def _word_changes(self, word: Characters, listed: dict[str, float], before: str,
                      after: str) -> Iterator[tuple[str, float, int, str]]:
        """(new text, cost, move, reason) for one word; only texts that the lexicon knows."""
        if self.known(word.text) or len(word.text.strip(PUNCTUATION)) < 2:
            return  # there is nothing to tell a lone letter by
        whole = before + word.text + after
        for text, behind in listed.items():
            inside = text[len(before):len(text) - len(after)] if after else text[len(before):]
            if text == whole or not inside.strip() or before + inside + after != text:
                continue
            if not self.known(inside):
                continue
            if " " in inside:
                if all(map(_may_stand, inside.split())) and not any(map(str.isdigit, inside)):
                    move = SPLIT if inside.replace(" ", "") == word.text else CORRECT
                    yield (inside, behind + self.bonus(inside) - self.settings.word_bonus, move,
                           f"{inside!r} are words and on the net's list, {word.text!r} is none")
            elif _likely(word.text, inside):
                move = CORRECT
                yield (inside, behind, move,
                       f"{inside!r} is in the lexicon and on the net's list, {word.text!r} is not")
        for new, n, what in _swapped(word, self.settings.sure):
            if not _likely(word.text, new):
                continue
            if before + new + after not in listed and self.known(new):
                yield (new, n * self.settings.swap_cost, CORRECT,
                       f"{new!r} is in the lexicon, {word.text!r} is not; {what}")
        yield from self._splits(word)

    def _splits(self, word: Characters) -> Iterator[tuple[str, float, int, str]]:
        """One space put in where both sides are words; evidence lowers the cost."""
        typical = pitch(word)
        for i in range(1, len(word)):
            left, right = word.text[:i], word.text[i:]
            if not (_may_stand(left) and _may_stand(right)) or max(i, len(word) - i) < 3:
                continue
            if not (self.known(left) and self.known(right)):
                continue
            boundary = _boundary(left[-1], right[0])
            if not boundary and not (left.strip(PUNCTUATION) + right.strip(PUNCTUATION)).isalpha():
                continue  # a telephone number has many parts that look like numbers
            gap = float(np.hypot(*(word.xy[i] - word.xy[i - 1])))
            wide = gap / typical - USUAL_GAP if typical > 0 else 0.0
            cost = self.settings.split_cost - 2 * float(np.clip(wide, -1, 1.5))
            cost -= 1.0 if boundary else 0.0
            # two words must not earn more than the one they were read as
            cost += self.bonus(f"{left} {right}") - self.settings.word_bonus
            where = f"gap {wide + USUAL_GAP:.1f} times the usual" + (f", {boundary}" if boundary else "")
            yield f"{left} {right}", cost, SPLIT, f"{left!r} and {right!r} are words; {where}"

    def join(self, a: Unit, b: Unit) -> Attempt | None:
        """The last word of a and the first of b as one, where that is a word and they are not."""
        if a.sure and b.sure:
            return None
        head, _, left = a.read.text.rpartition(" ")
        right, _, tail = b.read.text.partition(" ")
        word = left + right
        if not (left and right and left[-1].isalpha() and right[0].isalpha()):
            return None
        if self.known(left) and self.known(right) or not self.known(word):
            return None
        if len(word.strip(PUNCTUATION)) < 4:  # too many short strings are words
            return None
        text = " ".join(part for part in (head, word, tail) if part)
        score = (_log_likelihood(a.read) + _log_likelihood(b.read) + self.bonus(text)
                 + self.settings.word_bonus * (not self.known(left) and not self.known(right))
                 - self.settings.join_cost)
        reason = f"{word!r} is a word, {left!r} and {right!r} apart are not, and the gap is narrow"
        return Attempt(text, JOIN, score, reason, self.known(text), False, a.rows + b.rows)

    def _noise(self, unit: Unit, known: bool) -> list[Attempt]:
        """A `drop` with empty text, tried where nothing speaks for the reading."""
        text = unit.read.text.replace(" ", "")
        solid = sum(c.isalnum() for c in text)
        words = unit.read.text.split()
        if known or any(_known(w, self.lexicon) or self.lexicon.pattern(w) == "code" for w in words):
            return []
        if len(text) > self.settings.noise_length and 2 * solid >= len(text):
            return []
        score = len(text) * math.log(max(self.settings.noise_confidence, TINY))
        reason = (f"{unit.read.text!r} is no word, short or mostly punctuation, and its characters "
                  f"average {math.exp(_log_likelihood(unit.read) / max(len(text), 1)):.2f} "
                  f"against {self.settings.noise_confidence:.2f}")
        return [Attempt("", DROP_MOVE, score, reason, False, False, unit.rows)]


def word_spans(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each run of characters that are not spaces."""
    start = 0
    for word in text.split(" "):
        if word:
            yield start, start + len(word)
        start += len(word) + 1


def _log_likelihood(read: Characters) -> float:
    """Sum of log confidences of the characters that are not spaces, nats."""
    solid = np.array([c != " " for c in read.text], bool)
    return float(np.log(np.clip(read.confidence[solid], TINY, 1.0)).sum())


def _swapped(word: Characters, sure: float) -> Iterator[tuple[str, int, str]]:
    """(text, number of exchanges, what) with one look-alike exchanged, or all of a kind.

    Only characters less confident than `sure` are exchanged.
    """
    text, unsure = word.text, word.confidence < sure
    for old, new in SWAPS:
        places = [i for i in range(len(text) - len(old) + 1)
                  if text.startswith(old, i) and unsure[i:i + len(old)].any()]
        for i in places:
            yield text[:i] + new + text[i + len(old):], 1, f"{old!r} looks like {new!r}"
        if len(places) > 1 and len(old) == len(new) == 1:
            every = "".join(new if i in places else c for i, c in enumerate(text))
            yield every, len(places), f"each {old!r} looks like {new!r}"


def _likely(old: str, new: str) -> bool:
    """Whether a known word may stand for a misreading: not with more punctuation or odd capitals."""
    if sum(c in PUNCTUATION for c in new) > sum(c in PUNCTUATION for c in old):
        return False  # "template!" for "templatel"
    if _guesses_a_number(old, new):
        return False
    bare = new.strip(PUNCTUATION)
    usual = bare.isupper() or bare[1:] == bare[1:].lower()
    return usual or [c.isupper() for c in old] == [c.isupper() for c in new]  # "tO" for "t0"


def _guesses_a_number(old: str, new: str) -> bool:
    """Whether letters would become a bare number: "B12" may be a code, but "12.O0" is a price."""
    if not any(c.isdigit() for c in new):
        return False
    return not any(c.isdigit() for c in old) or new.strip(PUNCTUATION).isdigit()


def _may_stand(part: str) -> bool:
    """Whether a piece is long enough to be a word of its own: "of" is, "ti" and "t" are not."""
    bare = part.strip(PUNCTUATION)
    return len(bare) >= 3 or bare.isdigit() or bare.lower() in SHORT_WORDS


def _boundary(left: str, right: str) -> str:
    """What changes between two characters where words often part; "" when nothing does."""
    if left.islower() and right.isupper():
        return "a capital follows a small letter"
    if left.isdigit() and right.isalpha() or left.isalpha() and right.isdigit():
        return "a digit meets a letter"
    if left in ",.:;)!?" and right.isalnum():
        return f"{left!r} ends a word"
    return ""


def _standing(unit: Unit, known: bool) -> str:
    lexicon = "in the lexicon" if known else "not in the lexicon"
    verdict = "confident" if unit.sure else "in the middle"
    return f"{verdict} ({unit.read.confidence_of_text:.2f}), {lexicon}"


def _each_text_once(tried: list[Attempt]) -> list[Attempt]:
    best: dict[str, Attempt] = {}
    for attempt in tried:
        if attempt.text not in best or attempt.score > best[attempt.text].score:
            best[attempt.text] = attempt
    return sorted(best.values(), key=lambda a: -a.score)


def _with_choice(a: Attempt, chosen: bool) -> Attempt:
    return Attempt(a.text, a.move, a.score, a.reason, a.in_lexicon, chosen, a.rows)


def _unchosen(a: Attempt) -> Attempt:
    return _with_choice(a, False)


def _table(found: list[Attempt]) -> Attempts:
    return Attempts(
        text=text_array(a.text for a in found),
        move=np.array([a.move for a in found], np.uint8),
        score=np.array([a.score for a in found], np.float32),
        reason=text_array(a.reason for a in found),
        in_lexicon=np.array([a.in_lexicon for a in found], np.bool_),
        chosen=np.array([a.chosen for a in found], np.bool_),
        parents=Parents.from_lists("transcripts", [a.rows for a in found]))
