"""Texts that follow a pattern: numbers, prices, dates, times, phone and VAT numbers, codes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate

from core.recognizer.alphabet import ACCENTED
from core.synth.stream import Stream

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
CLEAR = CAPITALS.replace("O", "")  # codes that mix letters and digits avoid the O: it is a zero's twin
# Symbols, the rare ones several times: real text brings the common ones anyway.
SYMBOLS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" + "^~`|\\{}<>[]_=+\"#&@;!?$" * 2 + "^^\\|[~"
# Letters that words seldom bring; codes draw them more often.
RARE_LETTERS = "JQXZKVWUYjqxzkvwuy" + "jqjqjqzQ" * 2


def digits(stream: Stream, n: int) -> str:
    return "".join(map(str, (stream.below(10) for _ in range(n))))


def number(stream: Stream) -> str:
    u = stream.unit()
    if u < 0.5:
        return digits(stream, stream.pick((1, 1, 1, 2, 2, 3, 4, 5)))
    if u < 0.58:
        return digits(stream, stream.whole(6, 14))
    if u < 0.66:
        return f"{stream.below(1000)},{digits(stream, 3)}" + ("" if stream.chance(.5) else
                                                             f".{digits(stream, 2)}")
    if u < 0.84:
        return f"{stream.below(10 ** stream.whole(1, 3))}.{digits(stream, stream.whole(1, 3))}"
    if u < 0.92:
        return stream.pick(("#", "-", "+", "No.", "x", "~")) + digits(stream, stream.whole(1, 4))
    end = stream.pick(("st", "nd", "rd", "th", ".", ")", ":", ",", "x", "@"))
    return f"{stream.below(30)}{end}"


def price(stream: Stream) -> str:
    whole = int(10 ** stream.between(0, 3.2)) - 1
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


def vat(stream: Stream) -> str:
    """A tax number: GST, VAT, ABN, EIN, as Europe, Asia and America write them."""
    d = lambda n: digits(stream, n)
    return stream.pick((f"GB{d(9)}", f"DE{d(9)}", f"GB {d(3)} {d(4)} {d(2)}", f"ATU{d(8)}",
                        f"FR {d(2)} {d(9)}", f"({d(6)}-{stream.pick(CAPITALS)})", f"{d(12)}",
                        f"ABN {d(2)} {d(3)} {d(3)} {d(3)}", f"{d(2)}-{d(7)}", f"GST:{d(12)}",
                        f"VAT No. {d(9)}", f"NL{d(9)}B{d(2)}"))


def house(stream: Stream) -> str:
    """The numbered parts of an address: house, lot, postcode."""
    d = lambda n: digits(stream, n)
    a, b = stream.whole(1, 240), stream.whole(1, 60)
    c = lambda: stream.pick(CAPITALS)
    return stream.pick((f"No.{a},", f"NO {a},", f"{a}-{b},", f"{a}{c()}", f"#{b:02}-{a:02}",
                        f"LOT {a}", f"Apt {b}{c()}", f"P.O. Box {a * b}", d(5), f"{d(5)}-{d(4)}",
                        f"{c()}{c()}{stream.whole(1, 9)} {stream.whole(1, 9)}{c()}{c()}",
                        f"JLN {b}/{stream.whole(1, 40)},", f"Suite {a}", f"{c()}{c()} {d(5)}"))


def code(stream: Stream) -> str:
    letters = lambda n: "".join(stream.pick(CAPITALS + "JQXZKVWUY") for _ in range(n))
    u = stream.unit()
    if u < 0.35:
        return letters(stream.whole(1, 4)) + stream.pick(("", "", "-", "/", ".")) \
            + digits(stream, stream.whole(2, 8))
    if u < 0.5:
        return "".join(stream.pick(CLEAR + "0123456789" * 3) for _ in range(stream.whole(4, 12)))
    if u < 0.62:
        return f"{digits(stream, stream.whole(3, 9))}-{stream.pick(CAPITALS)}"
    if u < 0.74:
        return stream.pick("-/.").join(digits(stream, stream.whole(2, 5))
                                       for _ in range(stream.whole(2, 4)))
    if u < 0.87:
        return "".join(stream.pick("0123456789abcdef") for _ in range(stream.whole(4, 12)))
    return "".join(stream.pick(LETTERS + CLEAR + "0123456789" + RARE_LETTERS)
                   for _ in range(stream.whole(3, 12)))


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


def symbols(stream: Stream) -> str:
    """Random characters, half of them symbols, so that every printable one occurs often."""
    plain = LETTERS + CAPITALS + "0123456789" + RARE_LETTERS
    plain = ACCENTED if stream.chance(0.1) else plain
    return "".join(stream.pick(SYMBOLS) if stream.chance(0.5) else stream.pick(plain)
                   for _ in range(stream.pick((1, 1, 2, 2, 3, 3, 4, 5, 6, 8))))


NUMERIC: tuple[tuple[float, Callable[[Stream], str]], ...] = (
    (0.30, number), (0.30, price), (0.11, date), (0.07, time), (0.05, percent), (0.04, phone),
    (0.07, code), (0.03, size), (0.015, vat), (0.015, house))
_NUMERIC_BOUNDS = list(accumulate(w for w, _ in NUMERIC))


def numeric(stream: Stream) -> str:
    """A number, price, date, time, percentage, phone, tax or house number, code or size."""
    return NUMERIC[stream.which(_NUMERIC_BOUNDS)][1](stream)
