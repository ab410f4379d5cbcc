"""What synthetic windows say: one short text at a time.

Words come from the lexicon by how common they are, receipt lines from food descriptions, names,
places and companies from lists in resources/corpus; numbers, dates, prices, codes, addresses and
symbols are made by template. Texts are longer than a window at times; whoever draws them cuts.
A run of several spaces is one wide space: it is drawn so wide, but says one.
"""

from __future__ import annotations

import gzip
from bisect import bisect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path

from core import lexicon
from core.errors import Missing
from core.recognizer.alphabet import covers
from core.synth import till
from core.synth.stream import Stream
from core.synth.templates import (
    CAPITALS,
    ENDS,
    FILE_ENDS,
    LETTERS,
    digits,
    house,
    number,
    numeric,
    size,
    symbols,
)

CORPUS = Path(__file__).parents[2] / "resources" / "corpus"

# How often a word is drawn from each of SCOWL's classes (10 is the commonest); running text is
# steeper still, but the net must not learn the commonest words by heart.
LEVEL_WEIGHTS = {10: 0.42, 20: 0.22, 35: 0.16, 40: 0.05, 50: 0.07, 55: 0.02, 60: 0.03, 70: 0.03}
# The words that make up half of all running text, short and easily confused.
SHORT = [
    "the", "of", "and", "to", "a", "in", "is", "it", "you", "that", "he", "was", "for", "on", "are",
    "with", "as", "I", "his", "they", "be", "at", "one", "have", "this", "from", "or", "had", "by",
    "not", "but", "what", "all", "were", "we", "when", "your", "can", "said", "there", "use", "an",
    "each", "which", "she", "do", "how", "their", "if", "will", "up", "other", "about", "out",
    "many", "then", "them", "these", "so", "some", "her", "would", "make", "like", "him", "into",
    "time", "has", "look", "two", "more", "go", "see", "no", "way", "could", "my", "than", "been",
    "who", "its", "now", "did", "get", "come", "made", "may", "part", "over", "new", "after",
    "only", "little", "work", "know",
]
# Common words of German, French, Spanish, Portuguese, Italian, Danish, Swedish and Dutch.
FOREIGN = """
für über können müssen größe straße schön früh möchte während geöffnet geschäft zurück hören fünf
zwölf küche bäcker mädchen öffnung übersicht gemäß außen weiß heiß grüße verkäufer gebühr prüfung
stück käse brötchen müller schröder jürgen köln münchen düsseldorf österreich zürich ärzte äpfel
été où déjà très après être même français réservé société café crème pâté élève père mère frère hôtel
forêt fenêtre leçon garçon reçu façade ça à là voilà noël naïf maïs cœur sœur œuvre bœuf août goûter
coût dû sûr bientôt numéro téléphone référence quantité crédit débit payé réglé montant québec genève
año niño señor mañana español pequeño aquí también más está día país común según teléfono número
dirección información café té azúcar jamón atún pingüino cigüeña vergüenza córdoba málaga público útil
não são pão mão coração informação ação preço serviço você português à às é só já avó avô três mês
também número açúcar maçã limão joão câmara município referência tributação
è perché più così città università caffè però già là qualità società virtù lunedì tè né
på når også før år æble øl smør brød køb fra måned århus københavn größe ærø søndag
och är för över även från måste två får åtta ström öl kött smör bröd göteborg malmö älska
één coöperatie geïnteresseerd officiële financiële reünie zeeën
""".split()  # noqa: SIM905 (a list of 190 literals reads worse)
VARIANTS = {"a": "àáâãäåæ", "c": "ç", "e": "èéêë", "i": "ìíîï", "n": "ñ", "o": "òóôõöøœ", "u": "ùúûü",
            "y": "ýÿ", "A": "ÀÁÂÃÄÅÆ", "C": "Ç", "E": "ÈÉÊË", "I": "ÌÍÎÏ", "N": "Ñ",
            "O": "ÒÓÔÕÖØŒ", "U": "ÙÚÛÜ", "Y": "Ý"}


@dataclass(frozen=True)
class Corpus:
    """Word lists in memory. `levels[k]` are the words of the k-th class in LEVEL_WEIGHTS."""

    levels: tuple[tuple[str, ...], ...]
    level_bounds: tuple[float, ...]  # cumulative weights
    long_words: tuple[str, ...]  # 12 letters and more, as chopping meets them
    foods: tuple[str, ...]
    names: tuple[str, ...]
    places: tuple[str, ...]
    companies: tuple[str, ...]
    digest: str

    def word(self, stream: Stream) -> str:
        """A word as the lexicon has it, by frequency."""
        if stream.chance(0.45):
            return stream.pick(SHORT)
        level = self.levels[bisect(self.level_bounds, stream.unit())]
        word = stream.pick(level)
        # a list has its long words as often as its short ones, running text has not
        others = (word, stream.pick(level), stream.pick(level)) if stream.chance(0.8) else (word,)
        return min(others, key=len)


def _lines(name: str) -> tuple[str, ...]:
    path = CORPUS / name
    if not path.exists():
        raise Missing(f"no corpus list at {path}; restore resources/corpus from the repository")
    lines = gzip.decompress(path.read_bytes()).decode("utf-8").splitlines()
    return tuple(line for line in lines if line and covers(line))


@cache
def load() -> Corpus:
    """The shipped corpus, read once a process. Raises Missing naming the file that is not there."""
    words = lexicon.load()
    # possessives are a quarter of SCOWL's middle classes; `punctuated` makes enough of them
    levels = tuple(tuple(w for w in words.levels[k] if covers(w) and not w.endswith("'s"))
                   for k in LEVEL_WEIGHTS)
    bounds = tuple(accumulate(LEVEL_WEIGHTS.values()))
    return Corpus(levels, (*bounds[:-1], 1.0),
                  tuple(w for ws in levels[:5] for w in ws if len(w) >= 12),
                  _lines("foods.txt.gz"), _lines("names.txt.gz"), _lines("places.txt.gz"),
                  _lines("companies.txt.gz"), words.digest)


def cased(stream: Stream, word: str) -> str:
    """The word in lower, Title or UPPER case; receipts shout, so capitals are frequent."""
    u = stream.unit()
    if u < 0.44:
        return word
    if u < 0.64:
        return word[:1].upper() + word[1:]
    return word.upper()


def a_word(stream: Stream, corpus: Corpus) -> str:
    u = stream.unit()
    if u < 0.82:
        return cased(stream, corpus.word(stream))
    return stream.pick(till.WORDS) if u < 0.96 else stream.pick(SINGLE)


def piece(stream: Stream, corpus: Corpus) -> str:
    """A part of a long word, as chopping makes them."""
    word = stream.pick(corpus.long_words)
    start = stream.below(len(word) - 4)
    return cased(stream, word[start:start + stream.whole(3, 12)])


def entity(stream: Stream, corpus: Corpus) -> str:
    """A person, place or company, or a part of its name or address."""
    u = stream.unit()
    if u < 0.5:
        entry = stream.pick(stream.pick((corpus.names, corpus.places, corpus.companies)))
        text = stream.pick(entry.split())
    elif u < 0.62:
        first, last = stream.pick(corpus.names), stream.pick(corpus.names)
        title = stream.pick(("Mr", "Mrs", "Ms", "Dr.", "Mr.", "Miss"))
        text = stream.pick((f"{first} {last}", f"{last}, {first}", f"{first[0]}. {last}",
                            f"{title} {last}", f"{first} {last[0]}."))
    elif u < 0.72:
        text = stream.pick(corpus.companies)
        text += stream.pick(("", "", " Inc.", " Ltd", " SDN BHD", " Co.", " & Co", " LLC", " GmbH"))
    elif u < 0.84:
        street = stream.pick(corpus.places)
        text = stream.pick((f"{stream.whole(1, 999)} {street}", f"{street} St.", f"Jalan {street}",
                            f"{street} Rd,", f"Taman {street}", f"{street} Avenue"))
    elif u < 0.94:
        town = stream.pick(corpus.places)
        text = stream.pick((f"{digits(stream, 5)} {town}", f"{town},", f"{town} {house(stream)}",
                            f"{town}, {stream.pick(CAPITALS)}{stream.pick(CAPITALS)}"))
    else:
        text = house(stream)
    return text.upper() if stream.chance(0.4) else text


def punctuated(stream: Stream, corpus: Corpus) -> str:
    word, u = a_word(stream, corpus), stream.unit()
    if u < 0.55:
        return word + stream.pick(",.:;,.:!?,.")
    if u < 0.70:
        left, right = stream.pick(("()", "[]", '""', "''", "<>", "{}", "**", "``"))
        return left + word + right
    if u < 0.80:
        return stream.pick(("(", '"', "'", "#", "@", "*", "-", "$", "<", "[", "~", "&")) + word
    if u < 0.90:
        return word + stream.pick((")", '"', "'", "*", "),", ").", '",', "]", "()", "'s", "..."))
    return word + stream.pick("-/&_.:=+|") + a_word(stream, corpus)


def email(stream: Stream, corpus: Corpus) -> str:
    name = stream.pick(corpus.names).split()[0].lower()
    user = stream.pick((name, f"{name}.{corpus.word(stream)}", name + digits(stream, 2), "info",
                        f"{name}_{stream.pick(LETTERS)}", "sales"))
    return f"{user}@{corpus.word(stream)}{stream.pick(ENDS)}".lower().replace("'", "")


def url(stream: Stream, corpus: Corpus) -> str:
    host = corpus.word(stream).lower().replace("'", "") + stream.pick(ENDS)
    u = stream.unit()
    if u < 0.35:
        return f"www.{host}"
    if u < 0.55:
        return stream.pick(("http://", "https://")) + host
    if u < 0.7:
        return f"/{corpus.word(stream)}/{corpus.word(stream)}{stream.pick(FILE_ENDS)}"
    if u < 0.8:
        return f"{host}/{corpus.word(stream)}?{stream.pick(LETTERS)}={digits(stream, 2)}"
    if u < 0.9:
        return f"C:\\{corpus.word(stream)}\\{corpus.word(stream)}{stream.pick(FILE_ENDS)}"
    return f"~/{corpus.word(stream)}_{corpus.word(stream)}{stream.pick(FILE_ENDS)}"


def receipt_line(stream: Stream, corpus: Corpus) -> str:
    """A piece of a food description, often with a size before or behind it."""
    parts = stream.pick(corpus.foods).split(",")
    start = stream.below(len(parts))
    text = stream.pick((",", " ", ", ")).join(parts[start:start + stream.whole(1, 3)])
    u = stream.unit()
    if u < 0.3:
        text = f"{size(stream)} {text}"
    elif u < 0.4:
        text += f" {size(stream)}"
    return text.title() if stream.chance(0.25) else text


def code_text(stream: Stream, corpus: Corpus) -> str:
    """What screens full of programs and manuals say: calls, options, names with underscores."""
    a = corpus.word(stream).lower().replace("'", "")
    b = corpus.word(stream).lower().replace("'", "")
    n = stream.below(100)
    return stream.pick((
        f"{a}_{b}", f"{a}()", f"{a}.{b}", f"--{a}", f"{a}={n}", f"{a}[{n}]", f"<{a}>", f"</{a}>",
        f"{{{a}}}", f"${a}", f"${{{a}}}", f"{a}::{b}", f"{a}->{b}", f"&{a};", f"#{a}", f"@{a}",
        f"'{a}'", f'"{a}"', f"`{a}`", f"{a}|{b}", f"~{a}", f"{a}+{b}", f"!{a}", f"{a} != {n}",
        f"{a} == {b}", f"%{a}%", f"{a}*{n}", f"^{a}$", f"\\{a}", f"{a}{b.title()}", f"_{a}_",
        f"{a}({b})", f"{a}^{n % 10}", f"{a}>{n}", f"{a}<{n}", f"{a}\\{b}", f"{a}; {b}"))


def joined(stream: Stream, corpus: Corpus) -> str:
    """Two tokens with the space between them missing."""
    return a_word(stream, corpus) + (number(stream) if stream.chance(0.5)
                                     else a_word(stream, corpus))


def several(stream: Stream, corpus: Corpus) -> str:
    """Two to four tokens, some with a wide space between them."""
    upper, gap = stream.chance(0.4), 0.85 if stream.chance(0.75) else 0.4
    text = ""
    for n in range(stream.pick((2, 2, 2, 3, 3, 4))):
        u = stream.unit()
        if n:
            text += " " if stream.chance(gap) else " " * stream.whole(2, 4)
        text += (corpus.word(stream) if u < 0.55 else numeric(stream) if u < 0.75 else
                 stream.pick(till.WORDS) if u < 0.87 else punctuated(stream, corpus))
    return text.upper() if upper else text


def accented(stream: Stream, corpus: Corpus) -> str:
    """A word of a language that writes beyond ASCII, or one of ours with letters exchanged."""
    if stream.chance(0.4):
        return cased(stream, stream.pick(FOREIGN))
    word = cased(stream, corpus.word(stream))
    places = [k for k, c in enumerate(word) if c in VARIANTS]
    for _ in range(stream.pick((1, 1, 2, 3)) if places else 0):
        k = stream.pick(places)
        if word[k] in VARIANTS:  # not one that was exchanged before
            word = word[:k] + stream.pick(VARIANTS[word[k]]) + word[k + 1:]
    return word


def typographic(stream: Stream, corpus: Corpus) -> str:
    """Signs that typesetting adds to ASCII, as text has them."""
    word, other, n = cased(stream, corpus.word(stream)), corpus.word(stream), stream.below(100)
    left, right = stream.pick(("“”", "“”", "‘’", "‘’", "«»", "„“", "„”", "»«"))
    price = f"{stream.below(1000)}{stream.pick(',.')}{digits(stream, 2)}"
    return stream.pick((
        f"{left}{word}{right}", f"{left}{word}", f"{word}{right}", f"{left}{word},{right}",
        f"{word}.{right}", f"{word}’s", f"{word}n’t", f"{word}’{other[:2]}", f"{word}’ll", f"I’{other[:2]}",
        f"{word}—{other}", f"{word}–{other}", f"{n}–{n + stream.below(50)}", f"{word}—", f"—{word}",
        f"{word} – {other}", f"{word} — {other}", f"{word}…", f"…{word}", f"{word} …",
        stream.pick("–—•→«»©"), stream.pick("–—•→»©®™§±×÷€£¥°µ½¼¾"), f"•{word}", f"• {word}",
        f"→ {word}", f"{word} →", f"{word} » {other}", f"» {word}", f"{word} »",
        f"©{stream.whole(1980, 2029)}", f"© {stream.whole(1980, 2029)}", f"© {word}", f"{word}®",
        f"{word}™", f"{stream.pick('€£¥')}{price}", f"{stream.pick('€£¥')} {price}",
        f"{price}{stream.pick('€£¥')}", f"{price} {stream.pick('€£')}", f"{n}°", f"{n}°C", f"{n} °F",
        f"±{n}", f"± {n}%", f"{n}×{n + 1}", f"{n} × {stream.below(99)}", f"{n}÷{n + 3}", f"{n}µm",
        f"{stream.pick('½¼¾')} {other}", f"{n}{stream.pick('½¼¾')}", f"§{n}", f"§ {n}.{stream.below(9)}",
        f"{n}m{stream.pick('²³')}", f"{n} cm{stream.pick('²³')}", f"x{stream.pick('²³')}",
        f"¿{word}?", f"¡{word}!"))


# kind, what draws it; the odds of each kind are fields of SampleSettings named like it.
KINDS: tuple[tuple[str, Callable[[Stream, Corpus], str]], ...] = (
    ("word", a_word),
    ("piece", piece),
    ("punctuated", punctuated),
    ("numeric", lambda stream, corpus: numeric(stream)),
    ("entity", entity),
    ("receipt", receipt_line),
    ("address", lambda stream, corpus: stream.pick((email, url))(stream, corpus)),
    ("code_text", code_text),
    ("symbols", lambda stream, corpus: symbols(stream)),
    ("accented", accented),
    ("typographic", typographic),
    ("joined", joined),
    ("several", several),
    ("till", till.token),
)
# What stands alone: codes of tax and size, bullets, marks between columns. A lone ring is a zero and
# a lone stroke a bar or a one, hardly ever an O or l; which it is, no font tells.
SINGLE = (LETTERS + CAPITALS).replace("O", "").replace("l", "") + "0123456789" * 2 \
    + ":&%$#*/()[]@+=<>?!;|-" * 2 + "---" + "|" * 6
# Alone in a window these are specks and strokes that could be anything.
# So are a zero with a stroke and an I with dirt above it.
NOT_ALONE = frozenset(".,'`_~^\"‘’“”„°¡…ØøÍÌÎÏíìîï")

LONG = 15  # characters that fill a window of 256 px, near enough


def draw_text(stream: Stream, odds: tuple[float, ...]) -> tuple[str, str]:
    """(kind, text): one text in the alphabet, without spaces at its ends.

    odds  one weight for each of KINDS, in that order; they need not add up to 1.
    """
    name, draw = KINDS[stream.which(list(accumulate(odds)))]
    text = draw(stream, load()).strip()
    while not text or text in NOT_ALONE:
        text = draw(stream, load()).strip()
    return name, text


def filled(text: str, stream: Stream, odds: tuple[float, ...]) -> str:
    """The text and one to three more of the same odds, until it is LONG; some spaces are wide."""
    for _ in range(stream.pick((1, 2, 2, 3, 3, 3))):
        if len(text) >= LONG:
            break
        space = " " if stream.chance(0.85) else " " * stream.whole(2, 4)
        text += space + draw_text(stream, odds)[1]
    return text
