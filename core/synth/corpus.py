"""What synthetic windows say: one short text at a time, printable ASCII only.

Words come from the lexicon by how common they are, receipt lines from food descriptions, names,
places and companies from lists in resources/corpus; numbers, dates, prices, codes, addresses and
symbols are made by template. Texts are longer than a window at times; whoever draws them cuts.
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
from core.synth.stream import Stream

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
RECEIPT = [
    "Total", "Subtotal", "TOTAL", "SUB-TOTAL", "CASH", "Cash", "Change", "CHANGE", "Tax", "TAX",
    "GST", "VAT", "Invoice", "INVOICE", "Receipt", "RECEIPT", "No.", "NO.", "No:", "Date", "DATE",
    "Time", "TIME", "Qty", "QTY", "Item", "ITEM", "Price", "PRICE", "Amount", "AMOUNT", "Amt",
    "AMT", "Disc", "Discount", "DISC.", "Rounding", "ROUNDING", "Adj", "Table", "Cashier",
    "CASHIER", "Counter", "Bill", "BILL", "Tel", "TEL", "Tel:", "TEL:", "Fax", "FAX:", "Reg",
    "REG.", "Ref", "REF#", "Thank", "You", "THANK", "YOU", "Please", "Again", "GOODS", "Goods",
    "SOLD", "Sold", "Not", "Returnable", "Refundable", "Exchange", "Member", "Points", "VISA",
    "MASTER", "Debit", "Credit", "CARD", "Card", "Approval", "Code", "Balance", "Due", "Paid",
    "Payment", "Tender", "Salesman", "Customer", "Copy", "Delivery", "Order", "Terms",
    "Description", "U.Price", "Unit", "UOM", "PCS", "pcs", "UNIT", "EA", "Summary", "Incl", "Incl.",
    "Excl.", "INCL.", "Inclusive", "(RM)", "RM", "S$", "@6%", "6%", "SR", "ZR", "0%", "Nett", "NET",
    "Gross", "Sdn", "Bhd", "SDN", "BHD", "Ltd", "LTD", "Inc", "INC", "Co.", "CO.", "LLC", "Road",
    "ROAD", "Street", "St.", "Ave", "Jalan", "JALAN", "JLN", "Taman", "Floor", "Lot", "LOT",
    "Level", "Suite", "P.O.", "Box",
]
MONTHS = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
]
UNITS = [
    "QT", "OZ", "LB", "LBS", "CT", "PK", "G", "KG", "ML", "L", "GAL", "EA", "PC", "PCS", "FT", "IN",
    "CM", "MM", "W", "V", "GB", "MB", "oz", "lb", "g", "kg", "ml", "l", "pk", "ct", "pcs", "cm",
    "mm", "kW", "GHz", "px", "pt",
]
ENDS = (".com", ".org", ".net", ".co.uk", ".com.my", ".de", ".io", ".edu", ".gov", ".info")
CURRENCIES = ("$", "RM", "RM ", "USD ", "US$", "EUR ", "S$", "Rs.", "GBP ", "$ ")
FILE_ENDS = (".txt", ".py", ".pdf", ".c", ".h", ".png", ".conf", ".html", ".tar.gz", ".md", ".exe")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
CAPITALS = LETTERS.upper()
# Symbols, the rare ones several times: real text brings the common ones anyway.
SYMBOLS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" + "^~`|\\{}<>[]_=+\"#&@;!?$" * 2
# Letters that words seldom bring; codes draw them more often.
RARE_LETTERS = "JQXZKVWUYjqxzkvwuy"


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
        if stream.chance(0.18):
            return stream.pick(SHORT)
        return stream.pick(self.levels[bisect(self.level_bounds, stream.unit())])


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


def digits(stream: Stream, n: int) -> str:
    return "".join(map(str, (stream.below(10) for _ in range(n))))


def a_word(stream: Stream, corpus: Corpus) -> str:
    u = stream.unit()
    if u < 0.80:
        return cased(stream, corpus.word(stream))
    if u < 0.88:
        return stream.pick(RECEIPT)
    if u < 0.95:
        entry = stream.pick(stream.pick((corpus.names, corpus.places, corpus.companies)))
        part = stream.pick(entry.split())
        return part.upper() if stream.chance(0.4) else part
    long_word = stream.pick(corpus.long_words)  # a piece, as chopping a long word makes it
    start = stream.below(len(long_word) - 4)
    return cased(stream, long_word[start:start + stream.whole(3, 12)])


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


def number(stream: Stream) -> str:
    u = stream.unit()
    if u < 0.35:
        return digits(stream, stream.whole(1, 5))
    if u < 0.5:
        return digits(stream, stream.whole(6, 14))
    if u < 0.62:
        return f"{stream.below(1000)},{digits(stream, 3)}" + ("" if stream.chance(.5) else
                                                             f".{digits(stream, 2)}")
    if u < 0.82:
        return f"{stream.below(1000)}.{digits(stream, stream.whole(1, 3))}"
    if u < 0.9:
        return stream.pick(("#", "-", "+", "No.", "x", "~")) + digits(stream, stream.whole(1, 4))
    end = stream.pick(("st", "nd", "rd", "th", ".", ")", ":", ",", "x", "@"))
    return f"{stream.below(30)}{end}"


def price(stream: Stream) -> str:
    whole = int(10 ** stream.between(0, 3.5))
    amount = f"{whole:,}" if whole > 999 and stream.chance(0.7) else str(whole)
    amount += f".{digits(stream, 2)}"
    u = stream.unit()
    if u < 0.5:
        return amount
    if u < 0.85:
        return stream.pick(CURRENCIES) + amount
    return stream.pick((f"-{amount}", f"{amount}-", f"({amount})", f"{amount} SR", f"{amount}T",
                        f"@{amount}", f"*{amount}", f"{amount} Z", f"{amount}/ea"))


def date(stream: Stream) -> str:
    day, month, year = stream.whole(1, 31), stream.whole(1, 12), stream.whole(1980, 2029)
    mark, name = stream.pick("/-/-."), stream.pick(MONTHS)
    short, yy = name[:3], year % 100
    return stream.pick((
        f"{day:02}{mark}{month:02}{mark}{year}", f"{day:02}{mark}{month:02}{mark}{yy:02}",
        f"{month:02}{mark}{day:02}{mark}{year}", f"{day}{mark}{month}{mark}{year}",
        f"{year}-{month:02}-{day:02}", f"{day} {name} {year}", f"{day:02}-{short}-{year}",
        f"{day:02} {short.upper()} {yy:02}", f"{name} {day}, {year}", f"{short} {day}, {year}",
        f"{day:02}{short.upper()}{yy:02}", f"{short}. {day}", f"{month:02}/{yy:02}", str(year)))


def time(stream: Stream) -> str:
    hour, minute, second = stream.below(24), stream.below(60), stream.below(60)
    half = stream.pick(("AM", "PM", "am", "pm", " AM", " PM", "a.m.", " p.m."))
    return stream.pick((f"{hour:02}:{minute:02}", f"{hour:02}:{minute:02}:{second:02}",
                        f"{hour % 12 + 1}:{minute:02}{half}", f"{hour % 12 + 1}{half}",
                        f"{hour:02}:{minute:02}:{second:02}{half}", f"{hour:02}.{minute:02}"))


def percent(stream: Stream) -> str:
    n = stream.below(101)
    return stream.pick((f"{n}%", f"{n}.{stream.below(10)}%", f"({n}%)", f"@{n}%", f"{n} %",
                        f"{n}.00%", f"-{n}%", f"GST {n}%"))


def phone(stream: Stream) -> str:
    d = lambda n: digits(stream, n)
    return stream.pick((f"{d(3)}-{d(3)}-{d(4)}", f"({d(3)}) {d(3)}-{d(4)}", f"{d(2)}-{d(8)}",
                        f"+{d(2)} {d(3)} {d(6)}", f"{d(3)}.{d(3)}.{d(4)}", f"0{d(2)}-{d(7)}",
                        f"+{d(2)}-{d(1)}-{d(4)} {d(4)}", f"Tel:{d(2)}-{d(7)}", f"0{d(4)} {d(6)}"))


def code(stream: Stream) -> str:
    letters = lambda n: "".join(stream.pick(CAPITALS + "JQXZKVWUY") for _ in range(n))
    u = stream.unit()
    if u < 0.35:
        return letters(stream.whole(1, 4)) + stream.pick(("", "", "-", "/", ".")) \
            + digits(stream, stream.whole(2, 8))
    if u < 0.5:
        return "".join(stream.pick(CAPITALS + "0123456789" * 3) for _ in range(stream.whole(4, 12)))
    if u < 0.62:
        return f"{digits(stream, stream.whole(3, 9))}-{stream.pick(CAPITALS)}"
    if u < 0.74:
        return stream.pick("-/.").join(digits(stream, stream.whole(2, 5))
                                       for _ in range(stream.whole(2, 4)))
    if u < 0.87:
        return "".join(stream.pick("0123456789abcdef") for _ in range(stream.whole(4, 12)))
    return "".join(stream.pick(LETTERS + CAPITALS + "0123456789" + RARE_LETTERS)
                   for _ in range(stream.whole(3, 12)))


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


def size(stream: Stream) -> str:
    """A measure: "24QT", "12 OZ", "2 x 5", "1.5L"."""
    n = stream.pick((str(stream.whole(1, 64)), f"{stream.below(9)}.{stream.below(10)}",
                     str(50 * stream.whole(1, 20)), f"1/{stream.pick('2348')}"))
    u = stream.unit()
    if u < 0.6:
        return n + stream.pick(UNITS)
    if u < 0.8:
        return f"{n} {stream.pick(UNITS)}"
    return n + stream.pick(("x", "X", " x ", "*", " @ ", "X ")) + str(stream.whole(1, 99))


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


def symbols(stream: Stream) -> str:
    """Random characters, half of them symbols, so that every printable one occurs often."""
    return "".join(stream.pick(SYMBOLS) if stream.chance(0.5)
                   else stream.pick(LETTERS + CAPITALS + "0123456789" + RARE_LETTERS)
                   for _ in range(1 if stream.chance(0.2) else stream.whole(1, 9)))


def joined(stream: Stream, corpus: Corpus) -> str:
    """Two tokens with the space between them missing."""
    return a_word(stream, corpus) + stream.pick((a_word, lambda s, c: number(s)))(stream, corpus)


def several(stream: Stream, corpus: Corpus) -> str:
    """Two to four tokens with spaces."""
    u = stream.unit()
    if u < 0.3:
        return receipt_line(stream, corpus)
    if u < 0.38:
        return stream.pick(corpus.companies if stream.chance(0.5) else corpus.places)
    if u < 0.45:
        return f"{stream.pick(corpus.names)} {stream.pick(corpus.names)}"
    upper = stream.chance(0.4)
    tokens = []
    for _ in range(stream.whole(2, 4)):
        u = stream.unit()
        tokens.append(corpus.word(stream) if u < 0.6 else numeric(stream) if u < 0.75 else
                      stream.pick(RECEIPT) if u < 0.85 else punctuated(stream, corpus))
    text = " ".join(tokens)
    return text.upper() if upper else text


NUMERIC: tuple[tuple[float, Callable[[Stream], str]], ...] = (
    (0.27, number), (0.27, price), (0.15, date), (0.09, time), (0.05, percent), (0.06, phone),
    (0.08, code), (0.03, size))
_NUMERIC_BOUNDS = list(accumulate(w for w, _ in NUMERIC))


def numeric(stream: Stream) -> str:
    """A number, price, date, time, percentage, phone number, code or size."""
    k = bisect(_NUMERIC_BOUNDS, stream.unit())
    return NUMERIC[min(k, len(NUMERIC) - 1)][1](stream)


# kind, what draws it; the odds of each kind are fields of SampleSettings named like it.
KINDS: tuple[tuple[str, Callable[[Stream, Corpus], str]], ...] = (
    ("word", a_word),
    ("punctuated", punctuated),
    ("numeric", lambda stream, corpus: numeric(stream)),
    ("address", lambda stream, corpus: stream.pick((email, url))(stream, corpus)),
    ("code_text", code_text),
    ("symbols", lambda stream, corpus: symbols(stream)),
    ("joined", joined),
    ("several", several),
)


def draw_text(stream: Stream, odds: tuple[float, ...]) -> tuple[str, str]:
    """(kind, text): one text of printable ASCII without spaces at its ends.

    odds  one weight for each of KINDS, in that order; they need not add up to 1.
    """
    bounds = list(accumulate(odds))
    k = min(bisect(bounds, stream.unit() * bounds[-1]), len(KINDS) - 1)
    name, draw = KINDS[k]
    text = draw(stream, load()).strip()
    return name, text or "-"
