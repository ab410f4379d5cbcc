"""What a till prints, a token at a time, each role as often as receipts have it.

A receipt is no running text: every sixth token is an amount, most of them end in 0; single digits
and lone colons are common, codes are padded with zeros and open with a letter or two.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import TYPE_CHECKING

from core.synth.stream import Stream
from core.synth.templates import CAPITALS, UNITS, date, digits, house, phone, time, vat

if TYPE_CHECKING:
    from core.synth.corpus import Corpus

# The words of almost every receipt.
OFTEN = """
Total Total TOTAL Subtotal Cash Cash Change Tax Tax GST GST VAT Invoice Receipt No No. Date Time Qty
Amount Item Items Price Thank You Please of the in to for and Sales Cashier Tel Bill Table Card
Description Summary Discount Rounding Payment Code SR RM X x
""".split()  # noqa: SIM905 (a list of so many literals reads worse)
# Those of many.
AT_TIMES = """
Sub-Total SUB-TOTAL Amt Disc DISC. Adj Adjustment Counter Fax Reg REG. Ref REF# Again Goods Sold Not
Are Returnable Refundable Exchange Exchanged Member Points VISA MASTER Mastercard Debit Credit
Approval Approved Balance Due Paid Tender Tendered Salesman Salesperson Customer Copy Delivery Order
Terms U.Price Unit Units UOM PCS pcs EA Incl Incl. Excl. Inclusive Exclusive Included Excluding ZR
Nett Net Gross Sdn Bhd Ltd Limited Inc Co. LLC Pte GmbH Company Road Street St. Ave Avenue Jalan JLN
Taman Floor Ground Lot Level Suite Block Unit Plaza Mall Centre Center City Park Market Store Shop
Supermarket Restaurant Cafe Hotel Pharmacy Hardware Trading Enterprise International P.O. Box Come
Visit Welcome Keep Within Days Day Hours Return Returns Refund Policy Original Proof Purchase
Purchased Valid Subject Condition Conditions Note Operator Server Staff Name Address Account Acc Type
Trans Transaction Terminal Till Slip Print Printed Reprint Duplicate Page Doc Document Number Serial
Batch Auth Merchant Host Trace Chip PIN Signature Required Verified Payable Supply Supplies Service
Charge Charges Tip Gratuity Dine Take Away Takeaway Pax Guest Guests Check Chk Queue Set Combo Meal
Drink Hot Ice Cold Large Small Regular Extra Add Less Free Promo Promotion Offer Save Saved Saving
Savings Off Deposit Voucher Gift Round Outstanding Rate Value Product Products Barcode SKU Weight
Plastic Bag Paper Fuel Pump Litre Diesel Unleaded Parking Ticket Entry Exit Fee Loyalty Earned Bonus
Reward Customer's Tax-Exempt Zero Standard Local Import Retail Wholesale Exc Misc Dept Group Branch
Outlet Station Opening Closing Shift Received Received: Issued By On At With From Your Our We Us Hope
See Soon Nice Have Shopping Happy Contact Call Email Website Hotline Enquiry Feedback Survey Win
""".split()  # noqa: SIM905
WORDS = (*OFTEN, *AT_TIMES)
ENDS = ("SR", "S", "Z", "A", "T", "*", "E", "TX", "F", "N", "ZR", "B")
SIGNS = ("$", "$", "$", "RM", "£", "€", "S$", "US$", "Rs.", "@", "*", "-")
MARKS = ":::::::::::::::::-----&&&==//@@%%*(xxXXX#+$)|!"
ALONE = "SSSATZDXENRGBCPQLMWKUVHFYIJ"  # codes of tax and class; a lone ring is a zero
ABBREVIATIONS = """
E.&O.E. E.&.O.E. A.M. P.M. S/PRICE U/PRICE W/O N/A P/S D/O T/A A/C C/O I/C B/F S/N P.T.O. U.S.A. U.K.
D.O.B. (S) (B) (A) (T) (Z) (M) (L) *S *Z *T *A #1 A/ T1 S1 B2
""".split()  # noqa: SIM905


def amount(stream: Stream) -> str:
    """A sum of money: mostly small, mostly round."""
    u = stream.unit()
    whole = 0 if u < 0.2 else stream.whole(1, 9) if u < 0.6 else stream.whole(10, 99) \
        if u < 0.88 else stream.whole(100, 999) if u < 0.97 else stream.whole(1000, 30_000)
    u = stream.unit()
    cents = "00" if u < 0.33 else f"{stream.below(10)}0" if u < 0.6 else \
        f"{stream.below(10)}{stream.pick('59')}" if u < 0.75 else digits(stream, 2)
    text = f"{whole:,}.{cents}" if stream.chance(0.7) else f"{whole}.{cents}"
    u = stream.unit()
    if u < 0.78:
        return text
    if u < 0.9:
        return stream.pick(SIGNS) + text
    if u < 0.97:
        return text + stream.pick(("", "", " ")) + stream.pick(ENDS)
    return stream.pick((f"({text})", f"-{text}", f"{text}-", f"{whole}.{cents}0", f".{cents}",
                        f"{whole},{cents}", f"={text}"))


def count(stream: Stream) -> str:
    """How many, or the number of an item, a table, a till."""
    u = stream.unit()
    n = stream.pick((1, 1, 1, 1, 0, 0, 0, 2, 2, 3, 4, 5, 6, 7, 8, 9)) if u < 0.7 else \
        stream.pick((10, 20, 30, 12, 15, 100, stream.whole(10, 99), stream.whole(10, 99)))
    u = stream.unit()
    if u < 0.74:
        return str(n)
    if u < 0.84:
        return f"{n}{stream.pick(('X', 'x', ' X', 'x ', 'X', 'PC', 'PCS', 'EA', 'ST', ' PC'))}"
    if u < 0.92:
        return f"{n}.{stream.pick(('0', '00', '000', '00', '0000'))}"
    if u < 0.96:
        return f"{n:02}" if stream.chance(0.6) else f"{n:03}"
    return stream.pick((f"{n},", f"{n})", f"({n})", f"#{n}", f"{n}.", f"{n}:", f"*{n}", f"x{n}"))


def number_padded(stream: Stream) -> str:
    """A number of a series, padded with zeros: "000418", "0012"."""
    n = stream.whole(3, 10)
    return digits(stream, stream.whole(1, n)).zfill(n)


def code(stream: Stream) -> str:
    """The number of an invoice, an article, a terminal, a company."""
    letters = lambda n: "".join(stream.pick(CAPITALS) for _ in range(n))
    u = stream.unit()
    if u < 0.2:
        return number_padded(stream)
    if u < 0.42:
        return letters(stream.pick((1, 1, 2, 2, 2, 3, 4))) + stream.pick(("", "", "", "-", "/")) \
            + number_padded(stream)
    if u < 0.52:
        return letters(stream.pick((1, 1, 2, 2))) + stream.pick(("0", "", "00")) \
            + digits(stream, stream.whole(1, 2))
    if u < 0.66:
        return digits(stream, stream.pick((4, 5, 6, 7, 8, 8, 12, 13, 13, 14)))
    if u < 0.76:
        return f"({digits(stream, stream.whole(5, 7))}-{stream.pick(CAPITALS)})"
    if u < 0.84:
        return stream.pick("-/.").join(digits(stream, stream.whole(2, 5))
                                       for _ in range(stream.pick((2, 2, 3))))
    if u < 0.9:
        return f"{digits(stream, stream.whole(2, 5))}{letters(stream.whole(1, 2))}" \
            + digits(stream, stream.whole(0, 4))
    if u < 0.95:
        return vat(stream)
    return stream.pick(("#", "No.", "NO:", "ID:", "*", "INV", "T", "REF:")) + number_padded(stream)


def rate(stream: Stream) -> str:
    """A tax rate or discount, often with the tax's name."""
    n = stream.pick(("6", "6", "0", "0", "5", "10", "7", "8", "20", "19", "7.5", "8.25", "6.00",
                     "12"))
    tax = stream.pick(("GST", "VAT", "TAX", "SST", "SR"))
    return stream.pick((f"{n}%", f"{n}%", f"{n}%", f"{n}%", f"@{n}%", f"@{n}%", f"({n}%)",
                        f"{n}%)", f"{n}%:", f"{tax}@{n}%", f"{tax}({n}%)", f"({tax}", f"{tax})",
                        f"{tax}:", f"{tax}):", f"{tax} {n}%", f"{n} %", f"{tax}({n}%):"))


def a_word(stream: Stream, corpus: Corpus) -> str:
    """A word of a receipt: its own, of a product, of a name or address, of running text."""
    u = stream.unit()
    if u < 0.26:
        return stream.pick(OFTEN)
    if u < 0.52:
        return stream.pick(AT_TIMES)
    if u < 0.72:
        return stream.pick(stream.pick(corpus.foods).replace(",", " ").split())
    if u < 0.84:
        return stream.pick(stream.pick(stream.pick((corpus.names, corpus.places, corpus.places,
                                                    corpus.companies))).split())
    return corpus.word(stream)


def word(stream: Stream, corpus: Corpus) -> str:
    """A word with the mark that a label, a sentence or a bracket leaves on it."""
    text, u = a_word(stream, corpus), stream.unit()
    if u < 0.72:
        return text
    if u < 0.79:
        return text + ":"
    if u < 0.87:
        return text + stream.pick(".,")
    if u < 0.98:
        money = stream.pick(("RM", "$", "RM", "S$", "USD", "EUR", "B", "S", "T", "%"))
        return stream.pick((f"({text}", f"({text}", f"{text})", f"({text})", f"{text}):",
                            f"{text}.:", f"{text}-", f"{text}({money})", f"{text}({money})",
                            f"({money})", f"[{text}]", f"({text}.", f"{text}!", f"*{text}",
                            f"{text}*", f"-{text}", f"{text}#", f"**{text}**"))
    return text + stream.pick("/&-@.:") + a_word(stream, corpus)


ROLES: tuple[tuple[float, Callable[[Stream, Corpus], str]], ...] = (
    (0.525, word),
    (0.165, lambda stream, corpus: amount(stream)),
    (0.085, lambda stream, corpus: count(stream)),
    (0.075, lambda stream, corpus: code(stream)),
    (0.045, lambda stream, corpus: stream.pick(MARKS)),
    (0.022, lambda stream, corpus: rate(stream)),
    (0.022, lambda stream, corpus: stream.pick((date, time))(stream)),
    (0.018, lambda stream, corpus: stream.pick((house, house, phone))(stream)),
    (0.018, lambda stream, corpus: stream.pick(ALONE)),
    (0.014, lambda stream, corpus: stream.pick(ABBREVIATIONS)),
    (0.006, lambda stream, corpus: f"{stream.whole(1, 1000)}{stream.pick(UNITS)}"),
    (0.005, lambda stream, corpus: (word(stream, corpus) + stream.pick((":", "", "."))
                                    + amount(stream))),
)
_BOUNDS = list(accumulate(w for w, _ in ROLES))


def token(stream: Stream, corpus: Corpus) -> str:
    """One token of a receipt in mixed case, a quarter of them in capitals. A till that has nothing but
    capitals is `tape.Tape.upper`."""
    role = ROLES[stream.which(_BOUNDS)][1]
    text = role(stream, corpus)
    return text.upper() if stream.chance(0.25) else text
