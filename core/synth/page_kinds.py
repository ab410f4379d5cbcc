"""The kinds of pages that are drawn: letter, invoice, table, columns, form, receipt, slide."""

from __future__ import annotations

from collections.abc import Callable

from core.synth.fonts import Atlas
from core.synth.sheet import Sheet
from core.synth.stream import Stream
from core.synth.templates import code, date, number, percent, phone, price, time

A4 = (1240, 1754)  # px, at 150 dpi
SMALL, BODY, LARGE, HUGE = 2, 3, 4, 5  # indices into fonts.SIZES: 16, 20, 28 and 40 px an em


def letter(s: Stream, atlas: Atlas) -> Sheet:
    sheet = Sheet(s, atlas, *A4)
    font = sheet.font()
    body, head = sheet.face(font, BODY), sheet.face(font, LARGE)
    x, right, y = s.between(110, 180), A4[0] - s.between(110, 180), s.between(110, 180)
    sheet.write(sheet.company(), x, y, head)
    for line in (*sheet.address(), "Tel. " + phone(s).removeprefix("Tel:")):
        y += 30
        sheet.write(line, x if s.chance(.9) else right, y, body)
    y += 70
    sheet.write(date(s), right, y, body, "right")
    for line in (sheet.name(), *sheet.address()):
        y += 30
        sheet.write(line, x, y, body)
    y += 80
    sheet.write(f"Dear {sheet.name()},", x, y, body)
    y += 50
    leading = s.between(1.25, 1.7)
    for _ in range(s.whole(2, 5)):
        y = sheet.paragraph(sheet.text(s.whole(2, 6)), x, y, right - x, body, leading, A4[1] - 260)
        y += 24
    sheet.write("Yours sincerely,", x, y + 20, body)
    sheet.write(sheet.name(), x, y + 110, body)
    sheet.write(f"Page {s.whole(1, 9)} of {s.whole(9, 20)}", A4[0] / 2, A4[1] - 60,
                sheet.face(font, SMALL), "centre")
    return sheet


def invoice(s: Stream, atlas: Atlas) -> Sheet:
    sheet = Sheet(s, atlas, *A4)
    font = sheet.font()
    body, head = sheet.face(font, BODY), sheet.face(sheet.font(), HUGE)
    x, right, y = 110.0, A4[0] - 110.0, s.between(120, 170)
    sheet.write("INVOICE", right, y, head, "right")
    sheet.write(sheet.company(), x, y, sheet.face(font, LARGE))
    for line in sheet.address():
        y += 30
        sheet.write(line, x, y, body)
    facts = [("Invoice No.", code(s)), ("Date", date(s)), ("Due", date(s)), ("Terms", "30 days")]
    y += 60
    for label, value in facts:
        sheet.write(label, right - 330, y, body)
        sheet.write(value, right, y, body, "right")
        y += 32
    columns = [x, x + 80, right - 330, right - 180, right]
    y = _table(sheet, s, columns, ("No", "Description", "Qty", "Price", "Amount"), y + 40,
               s.whole(4, 18), body, ruled=s.chance(.6))
    for label in ("Subtotal", f"Tax {percent(s)}", "Total"):
        sheet.write(label, right - 330, y, body)
        sheet.write(price(s), right, y, body, "right")
        y += 36
    sheet.rule(right - 330, y - 28, right, y - 28, 2)
    sheet.paragraph(sheet.text(2), x, y + 50, right - x, sheet.face(font, SMALL))
    return sheet


def _table(sheet: Sheet, s: Stream, columns: list[float], heads: tuple[str, ...], y: float,
           rows: int, face, ruled: bool) -> float:
    """A table whose first two columns are on the left, the others right-aligned; the y below."""
    top, step = y, face.em * s.between(1.6, 2.2)
    for k, head in enumerate(heads):
        sheet.write(head, columns[k] + 8 if k < 2 else columns[k] - 8, y, face,
                    "left" if k < 2 else "right")
    for n in range(1, rows + 1):
        y += step
        if y > sheet.height - 200:
            break
        entry = s.pick(sheet.corpus.foods).replace(",", " ").split()[:s.whole(1, 3)]
        values = (str(n), " ".join(entry)[:26], str(s.whole(1, 40)),
                  *(price(s) for _ in heads[3:]))
        for k, value in enumerate(values):
            sheet.write(value, columns[k] + 8 if k < 2 else columns[k] - 8, y, face,
                        "left" if k < 2 else "right")
    bottom = y + 0.5 * step
    if ruled:
        line = top - 0.65 * step
        while line < bottom + 2:
            sheet.rule(columns[0], line, columns[-1], line)
            line += step
        edges = [columns[0], columns[1], *(c + 8 for c in columns[2:-1]), columns[-1]]
        for edge in [edges[0], *([] if s.chance(.3) else edges[1:-1]), edges[-1]]:
            sheet.rule(edge, top - 0.65 * step, edge, line - step)
    else:
        sheet.rule(columns[0], top + 0.35 * step, columns[-1], top + 0.35 * step, 2)
    return bottom + step


def table(s: Stream, atlas: Atlas) -> Sheet:
    sheet = Sheet(s, atlas, *A4)
    font, n = sheet.font(), s.whole(4, 7)
    face = sheet.face(font, s.pick((SMALL, BODY)))
    sheet.write(sheet.title(), 100, 120, sheet.face(font, LARGE))
    right = A4[0] - 100.0
    columns = [100.0, 170.0, *(right - (right - 480) * k / (n - 2) for k in range(n - 3, -1, -1))]
    heads = ("#", "Item", "Units", *("Cost", "Net", "Tax", "Sum")[:n - 3])
    y = _table(sheet, s, columns[:2] + columns[2:], heads[:len(columns)], 190, s.whole(8, 34),
               face, ruled=s.chance(.8))
    sheet.paragraph(sheet.text(3), 100, y + 30, right - 100, sheet.face(font, BODY),
                    bottom=A4[1] - 80)
    return sheet


def columns(s: Stream, atlas: Atlas) -> Sheet:
    sheet = Sheet(s, atlas, *A4)
    font, n = sheet.font(), s.pick((2, 2, 3))
    face, gap, left = sheet.face(font, s.pick((SMALL, BODY))), s.between(30, 60), 90.0
    sheet.write(sheet.title(), A4[0] / 2, 130, sheet.face(sheet.font(), HUGE), "centre")
    width = (A4[0] - 2 * left - (n - 1) * gap) / n
    leading = s.between(1.2, 1.45)
    for k in range(n):
        x, y = left + k * (width + gap), 210.0
        while y < A4[1] - 140:
            if s.chance(.3):
                y = sheet.paragraph(sheet.title(), x, y + 16, width, sheet.face(font, LARGE), 1.2)
            y = sheet.paragraph(sheet.text(s.whole(2, 5)), x, y, width, face, leading,
                                A4[1] - 120) + 14
        if k and s.chance(.3):
            sheet.rule(x - gap / 2, 200, x - gap / 2, A4[1] - 120)
    return sheet


def form(s: Stream, atlas: Atlas) -> Sheet:
    sheet = Sheet(s, atlas, *A4)
    font, filled = sheet.font(), sheet.font()
    label, value = sheet.face(font, SMALL), sheet.face(filled, BODY)
    sheet.write(sheet.title(), 100, 120, sheet.face(font, LARGE))
    y = 200.0
    labels = ("Name", "Date of birth", "Address", "Phone", "Account No.", "Reference", "Amount",
              "City", "Signature", "Remarks", "Department", "Code")
    fill = (sheet.name, lambda: date(s), lambda: sheet.address()[0], lambda: phone(s),
            lambda: code(s), lambda: price(s), lambda: sheet.title())
    boxed = s.chance(.6)
    while y < A4[1] - 200:
        n = s.pick((1, 2, 2, 3))
        width = (A4[0] - 200) / n
        for k in range(n):
            x = 100 + k * width
            sheet.write(s.pick(labels) + s.pick((":", "", ".")), x + 8, y, label)
            if s.chance(.75):
                text = s.pick(fill)()
                if sheet.wide(text, value) < width - 20:
                    sheet.write(text, x + 12, y + 36, value)
            if boxed:
                sheet.frame(x, y - 22, x + width, y + 50)
            else:
                sheet.rule(x + 8, y + 46, x + width - 16, y + 46)
        if s.chance(.2):
            for k, word in enumerate(("Yes", "No")):
                sheet.frame(110 + 120 * k, y + 62, 128 + 120 * k, y + 80, 2)
                sheet.write(word, 138 + 120 * k, y + 79, label)
            y += 40
        y += 72
    return sheet


def receipt(s: Stream, atlas: Atlas) -> Sheet:
    width = s.whole(480, 640)
    sheet = Sheet(s, atlas, width, s.whole(900, 1700))
    font = sheet.font(even=s.chance(.7))
    face, head = sheet.face(font, s.pick((SMALL, BODY))), sheet.face(font, LARGE)
    step, left, right = face.em * s.between(1.15, 1.5), s.between(20, 40), width - s.between(20, 40)
    y = s.between(50, 90)
    sheet.write(sheet.company().upper(), width / 2, y, head, "centre")
    for line in (*sheet.address(), "TEL: " + phone(s).removeprefix("Tel:"), f"GST NO: {code(s)}"):
        y += step
        sheet.write(line.upper() if s.chance(.5) else line, width / 2, y, face, "centre")
    y += 2 * step
    sheet.write(date(s), left, y, face)
    sheet.write(time(s), right, y, face, "right")
    for _ in range(s.whole(3, 18)):
        y += step
        entry = s.pick(sheet.corpus.foods).split(",")
        text = " ".join(entry[:2])[:22]
        sheet.write(text, left, y, face)
        amount = price(s)
        if sheet.wide(text, face) + sheet.wide(amount, face) + 30 > right - left or s.chance(.3):
            y += step
            sheet.write(f"{s.whole(1, 9)} x {price(s)}", left + 30, y, face)
        sheet.write(amount, right, y, face, "right")
        if y > sheet.height - 12 * step:
            break
    y += step
    if s.chance(.6):
        sheet.write("-" * int((right - left) / max(1, sheet.wide("-" * 10, face)) * 10), left, y,
                    face)
    big = s.chance(.4)
    for label in ("SUBTOTAL", "GST 6%", "TOTAL", "CASH", "CHANGE"):
        y += step * (1.5 if big and label == "TOTAL" else 1)
        used = head if big and label == "TOTAL" else face
        sheet.write(label, left, y, used)
        sheet.write(f"{number(s) if s.chance(.1) else price(s)}", right, y, used, "right")
    y += 2 * step
    for line in ("THANK YOU", "PLEASE COME AGAIN", sheet.title()):
        sheet.write(line, width / 2, y, face, "centre")
        y += step
    cut = min(sheet.height, int(y + 40))
    sheet.ink = sheet.ink[:cut]
    return sheet


def slide(s: Stream, atlas: Atlas) -> Sheet:
    sheet = Sheet(s, atlas, 1280, s.pick((720, 960)))
    font = sheet.font()
    x, y = s.between(70, 120), s.between(100, 150)
    sheet.write(sheet.title(), x, y, sheet.face(font, 6))
    if s.chance(.5):
        sheet.rule(x, y + 24, 1280 - x, y + 24, s.whole(2, 5))
    y += 110
    while y < sheet.height - 110:
        deep = s.chance(.3)
        face = sheet.face(font, LARGE if deep else HUGE)
        cx = x + (60 if deep else 20)
        sheet.ink[round(y - face.em * .35):round(y - face.em * .15),
                  round(cx - 24):round(cx - 24 + face.em * .2)] = 255  # a bullet
        y = sheet.paragraph(sheet.sentence(3, 9)[:-1], cx, y, 1280 - 2 * x, face, 1.25,
                            sheet.height - 90) + 12
    sheet.write(sheet.name(), x, sheet.height - 30, sheet.face(font, SMALL))
    sheet.write(str(s.whole(1, 60)), 1280 - x, sheet.height - 30, sheet.face(font, SMALL), "right")
    return sheet


KINDS: dict[str, Callable[[Stream, Atlas], Sheet]] = {
    "letter": letter, "invoice": invoice, "table": table, "columns": columns, "form": form,
    "receipt": receipt, "slide": slide}
