"""The hidden text layer, read back by MuPDF, pdfium and poppler, and the file it is written to."""

import os
import shutil
import signal
import subprocess

import cv2
import numpy as np
import pymupdf
import pypdfium2
import pytest
from pdf_pages import (
    WORDS,
    exif_jpeg,
    image_file,
    lines_of,
    pdf_page,
    upright_of,
    word_quads,
    words_table,
)

from core import geometry
from core.errors import Unreadable, Usage
from core.load import PageSettings, open_source, page
from core.pdf import layer as layer_module
from core.pdf.existing import words_on
from core.pdf.layer import LayerSettings, PageLayer, read_words, write_pdf
from core.pdf.placing import PlacingSettings, placed

DPI = 100
N_WORDS = len(WORDS)
LEAK = b".5 0 0 -.5 20 200 cm"
LAYOUTS = {
    "plain": pdf_page(), "rotate 90": pdf_page(rotate=90), "rotate 180": pdf_page(rotate=180),
    "rotate 270": pdf_page(rotate=270), "crop": pdf_page(500, 400, crop=(100, 50, 450, 330)),
    "crop, rotate 270": pdf_page(500, 400, crop=(100, 50, 450, 330), rotate=270),
    "user unit 2": pdf_page(unit=2), "user unit 2, rotate 90": pdf_page(unit=2, rotate=90),
    "leaking CTM": pdf_page(content=LEAK), "two pages": pdf_page(n_pages=2),
}


def layered(source, n_words=N_WORDS, degrees=0.0, turns=0):
    """(layers, texts, boxes per page in visible points) with known words on every page."""
    layers, truth = [], []
    for index in range(source.n_pages):
        shown = page(source.page_source(index), PageSettings(dpi=DPI))
        upright = upright_of(shown, turns)
        points_from_upright = geometry.compose(shown.points_from_page, upright.page_from_upright)
        quads, line = word_quads(n_words, 300, degrees)
        if turns:  # lay the words out on the upright page, as a person would read them
            px_from_points = geometry.scaling(geometry.scale_of(geometry.invert(points_from_upright)))
        else:
            px_from_points = geometry.invert(points_from_upright)
        words = words_table([WORDS[i % len(WORDS)] for i in range(n_words)],
                            geometry.apply(px_from_points, quads), line)
        table = placed(shown, upright, words, lines_of(words), PlacingSettings())
        layers.append(PageLayer(index, shown, table, turns))
        truth.append(geometry.transform_boxes(points_from_upright, words.box) if not degrees else
                     geometry.boxes_from_quads(geometry.apply(points_from_upright, words.quad)))
    return layers, [WORDS[i % len(WORDS)] for i in range(n_words)], truth


def written(content, tmp_path, policy="refuse", **how):
    """(output path, texts, boxes per page) of a document written with known words."""
    source = open_source(content, "a.pdf" if isinstance(content, bytes) else None)
    layers, texts, truth = layered(source, **how)
    write_pdf(source, layers, tmp_path / "out.pdf", LayerSettings(policy))
    return tmp_path / "out.pdf", texts, truth


def pdfium_words(path, index):
    pdf = pypdfium2.PdfDocument(path)
    return pdf[index].get_textpage().get_text_range().split()


def poppler_words(path, index):
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    n = str(index + 1)
    command = ["pdftotext", "-enc", "UTF-8", "-f", n, "-l", n, str(path), "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode().split()


# ---- words come back ---------------------------------------------------------------------------

@pytest.mark.parametrize("layout", LAYOUTS)
def test_words_are_read_back_in_order_at_their_places(layout, tmp_path):
    out, texts, truth = written(LAYOUTS[layout], tmp_path)
    for index, boxes in enumerate(truth):
        found = read_words(out, index)
        assert list(found.text) == texts
        assert np.diag(geometry.iou(found.box, boxes)).min() >= 0.9
        assert pdfium_words(out, index) == texts
        assert poppler_words(out, index) == texts


ODD_PAGES = {  # entry, value: what MuPDF makes of each is what the page looks like in the workbench
    "crop box larger than the page": ("CropBox", "[-50 -50 500 500]"),
    "crop box beside the page": ("CropBox", "[1000 1000 1100 1100]"),
    "corners in the wrong order": ("MediaBox", "[300 240 0 0]"),
    "origin inside the page": ("MediaBox", "[-100 -100 200 140]"),
    "no media box": ("MediaBox", "null"), "no contents": ("Contents", "null"),
    "contents that are not there": ("Contents", "9999 0 R"), "half a point": ("UserUnit", "0.5"),
    "rotate -90": ("Rotate", "-90"), "rotate 450": ("Rotate", "450"), "rotate 45": ("Rotate", "45"),
}


@pytest.mark.parametrize("odd", ODD_PAGES)
def test_words_lie_right_on_odd_pages(odd, tmp_path):
    pdf = pymupdf.open(stream=pdf_page())
    pdf.xref_set_key(pdf[0].xref, *ODD_PAGES[odd])
    out, texts, truth = written(pdf.tobytes(), tmp_path, n_words=6)
    found = read_words(out)
    assert list(found.text) == texts
    assert np.diag(geometry.iou(found.box, truth[0])).min() >= 0.9


def test_boxes_and_turn_inherited_from_the_page_tree_are_used(tmp_path):
    pdf = pymupdf.open(stream=pdf_page())
    tree = int(pdf.xref_get_key(pdf.pdf_catalog(), "Pages")[1].split()[0])
    pdf.xref_set_key(pdf[0].xref, "MediaBox", "null")
    pdf.xref_set_key(tree, "MediaBox", "[0 0 320 260]")
    pdf.xref_set_key(tree, "Rotate", "90")
    out, texts, truth = written(pdf.tobytes(), tmp_path, n_words=6)
    found = read_words(out)
    assert list(found.text) == texts
    assert np.diag(geometry.iou(found.box, truth[0])).min() >= 0.9


@pytest.mark.parametrize("degrees", [2, -3, 5])
def test_skewed_words_are_read_back(degrees, tmp_path):
    # Poppler's default mode loses the order of lines at a skew; it is not asked here.
    out, texts, truth = written(pdf_page(), tmp_path, degrees=degrees)
    found = read_words(out)
    assert list(found.text) == texts
    assert np.diag(geometry.iou(found.box, truth[0])).min() >= 0.9
    assert pdfium_words(out, 0) == texts


@pytest.mark.parametrize("layout", LAYOUTS)
def test_pdfium_finds_each_word_where_it_was_placed(layout, tmp_path):
    out, texts, truth = written(LAYOUTS[layout], tmp_path)
    source = open_source(out.read_bytes(), "out.pdf")
    shown = page(source.page_source(0), PageSettings(dpi=72))
    pdf = pypdfium2.PdfDocument(out)
    text = pdf[0].get_textpage()
    chars, at = text.get_text_range(), 0
    for word, box in zip(texts, truth[0]):
        first = chars.index(word, at)
        at = first + len(word)
        corners = [text.get_charbox(i, loose=False) for i in range(first, at)]  # l b r t, user
        user = np.array([(c[i], c[j]) for c in corners for i, j in ((0, 1), (2, 3))])
        visible = geometry.apply(layer_module.frame_of(pymupdf.open(out)[0]).visible_from_user, user)
        bound = np.concatenate([visible.min(0), visible.max(0)])
        assert geometry.iou(bound, box)[0, 0] >= 0.9, word
    assert shown.size[0] > 0


def test_a_sideways_scan_in_a_pdf_keeps_the_way_it_lies(tmp_path):
    out, texts, truth = written(pdf_page(320, 320), tmp_path, turns=1)
    found = read_words(out)
    assert list(found.text) == texts
    assert np.diag(geometry.iou(found.box, truth[0])).min() >= 0.9
    assert pymupdf.open(out)[0].rotation == 0


def test_one_letter_words_and_words_of_many_scripts_survive(tmp_path):
    texts = ["a", "I", "Ж", "ß", "“x”", "½", "日本", "\U0001d54f", "(", "\\"]
    source = open_source(pdf_page(), "a.pdf")
    layers, _, _ = layered(source, len(texts))
    table = layers[0].placed
    renamed = type(table)(np.array(texts), table.quad, table.font_size, table.stretch,
                          table.space_after, table.parents)
    write_pdf(source, [PageLayer(0, layers[0].page, renamed)], tmp_path / "out.pdf")
    assert list(read_words(tmp_path / "out.pdf").text) == texts
    assert pdfium_words(tmp_path / "out.pdf", 0) == texts


def test_ascenders_and_descenders_have_boxes_of_their_own_height(tmp_path):
    boxes = np.array([[100, 100, 160, 124], [170, 106, 220, 124], [230, 106, 280, 131],
                      [290, 100, 340, 131]], np.float32)
    source = open_source(pdf_page(), "a.pdf")
    shown = page(source.page_source(0), PageSettings(dpi=144))
    words = words_table(["bold", "can", "gap", "help"], geometry.quads_from_boxes(boxes), [0] * 4)
    table = placed(shown, upright_of(shown), words, lines_of(words, baseline_y=124), PlacingSettings())
    write_pdf(source, [PageLayer(0, shown, table)], tmp_path / "out.pdf")
    found = read_words(tmp_path / "out.pdf")
    assert list(found.text) == ["bold", "can", "gap", "help"]
    assert np.diag(geometry.iou(found.box, boxes / 2)).min() >= 0.9


# ---- nothing else changes ----------------------------------------------------------------------

@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_pixel_changes(layout, tmp_path):
    out, _, truth = written(LAYOUTS[layout], tmp_path)
    before, after = pymupdf.open(stream=LAYOUTS[layout]), pymupdf.open(out)
    before2, after2 = pypdfium2.PdfDocument(LAYOUTS[layout]), pypdfium2.PdfDocument(out)
    for index in range(len(truth)):
        assert before[index].get_pixmap().samples == after[index].get_pixmap().samples
        assert np.array_equal(before2[index].render().to_numpy(), after2[index].render().to_numpy())


def test_pages_without_a_layer_are_kept_as_they_are(tmp_path):
    source = open_source(pdf_page(n_pages=3), "a.pdf")
    layers, texts, _ = layered(source)
    write_pdf(source, layers[1:2], tmp_path / "out.pdf")
    assert [list(read_words(tmp_path / "out.pdf", i).text) for i in range(3)] == [[], texts, []]


def test_resources_shared_by_two_pages_are_not_mixed(tmp_path):
    pdf = pymupdf.open(stream=pdf_page(n_pages=2))
    shared = pdf.xref_get_key(pdf[0].xref, "Resources")
    text = shared[1] if shared[0] == "dict" else pdf.xref_object(int(shared[1].split()[0]))
    root = pdf.xref_get_key(pdf.pdf_catalog(), "Pages")[1]
    pdf.xref_set_key(int(root.split()[0]), "Resources", text)
    for one in pdf:
        pdf.xref_set_key(one.xref, "Resources", "null")
    out, texts, _ = written(pdf.tobytes(), tmp_path)
    assert [list(read_words(out, i).text) for i in range(2)] == [texts, texts]


def test_a_layer_costs_few_bytes(tmp_path):
    content = pdf_page(600, 800)
    pdf = pymupdf.open(stream=content)
    pdf.save(tmp_path / "bare.pdf", garbage=1)
    out, _, _ = written(content, tmp_path, n_words=100)
    grown = out.stat().st_size - (tmp_path / "bare.pdf").stat().st_size
    assert grown < 100 * 60 + 7000  # OCRmyPDF 17.13: 77 to 126 bytes a word


# ---- encryption, damage, existing text ---------------------------------------------------------

def encrypted(user="", owner="owner"):
    return pymupdf.open(stream=pdf_page()).tobytes(
        encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw=user, owner_pw=owner)


def test_a_file_with_an_owner_password_stays_encrypted(tmp_path):
    out, texts, _ = written(encrypted(), tmp_path)
    assert list(read_words(out).text) == texts
    pdf = pymupdf.open(out)
    assert pdf.xref_get_key(-1, "Encrypt")[0] != "null"
    assert pdf.authenticate("owner") in (4, 5, 6)


def test_a_file_with_a_user_password_still_needs_it(tmp_path):
    source = open_source(encrypted(user="user"), "a.pdf", password="user")
    layers, texts, _ = layered(source)
    write_pdf(source, layers, tmp_path / "out.pdf")
    with pytest.raises(Unreadable, match="password"):
        read_words(tmp_path / "out.pdf")
    assert list(read_words(tmp_path / "out.pdf", password="user").text) == texts


def with_text(hidden, n_pages=1):
    pdf = pymupdf.open(stream=pdf_page(n_pages=n_pages))
    pdf[0].insert_text((40, 220), "already here", render_mode=3 if hidden else 0)
    return pdf.tobytes()


def test_existing_text_is_refused_by_default(tmp_path):
    with pytest.raises(Usage, match="page 1 already has text; choose skip, redo or force"):
        written(with_text(hidden=False), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_skip_leaves_pages_with_text_and_writes_the_others(tmp_path):
    out, texts, _ = written(with_text(hidden=True, n_pages=2), tmp_path, policy="skip")
    assert list(read_words(out, 0).text) == ["already", "here"]
    assert list(read_words(out, 1).text) == texts


def test_redo_replaces_hidden_text_and_keeps_pixels(tmp_path):
    content = with_text(hidden=True)
    out, texts, _ = written(content, tmp_path, policy="redo")
    assert list(read_words(out).text) == texts
    before, after = pymupdf.open(stream=content)[0].get_pixmap(), pymupdf.open(out)[0].get_pixmap()
    assert before.samples == after.samples


def test_redo_keeps_visible_text_and_does_not_write_it_twice(tmp_path):
    pdf = pymupdf.open(stream=pdf_page())
    pdf[0].insert_text((30, 49), "The", fontsize=10)  # where the first known word lies
    content = pdf.tobytes()
    out, texts, _ = written(content, tmp_path, policy="redo")
    assert sorted(read_words(out).text) == sorted(texts)
    before, after = pymupdf.open(stream=content)[0].get_pixmap(), pymupdf.open(out)[0].get_pixmap()
    assert before.samples == after.samples


@pytest.mark.parametrize("layout", ["rotate 90", "crop, rotate 270", "user unit 2, rotate 90"])
@pytest.mark.parametrize("policy", ["redo", "force"])
def test_our_own_layer_can_be_replaced_on_any_layout(layout, policy, tmp_path):
    once, texts, truth = written(LAYOUTS[layout], tmp_path, n_words=5)
    again, texts, truth = written(once.read_bytes(), tmp_path, policy=policy, n_words=9)
    found = read_words(again)
    assert list(found.text) == texts
    assert np.diag(geometry.iou(found.box, truth[0])).min() >= 0.9


def test_redaction_marks_of_others_are_not_applied_by_redo(tmp_path):
    pdf = pymupdf.open(stream=with_text(hidden=True))
    pdf[0].add_redact_annot(pymupdf.Rect(10, 10, 20, 20))
    with pytest.raises(Usage, match="page 1 holds redaction marks"):
        written(pdf.tobytes(), tmp_path, policy="redo")


def test_force_makes_a_picture_of_pages_with_text(tmp_path):
    out, texts, _ = written(with_text(hidden=False), tmp_path, policy="force")
    assert list(read_words(out).text) == texts
    spans = pymupdf.open(out)[0].get_texttrace()
    assert {span["type"] for span in spans} == {3}
    before = pymupdf.open(stream=with_text(hidden=False))[0].get_pixmap()
    after = pymupdf.open(out)[0].get_pixmap()
    a, b = (np.frombuffer(p.samples, np.uint8).astype(int) for p in (before, after))
    assert np.abs(a - b).mean() < 20  # resampled at 100 dpi, the same picture


def test_tagged_files_are_refused_unless_forced(tmp_path):
    pdf = pymupdf.open(stream=pdf_page())
    pdf.xref_set_key(pdf.pdf_catalog(), "MarkInfo", "<</Marked true>>")
    with pytest.raises(Usage, match="tagged"):
        written(pdf.tobytes(), tmp_path, policy="skip")
    out, texts, _ = written(pdf.tobytes(), tmp_path, policy="force")
    assert list(read_words(out).text) == texts


def test_signed_files_are_refused_unless_forced(tmp_path):
    pdf = pymupdf.open(stream=pdf_page())
    pdf.xref_set_key(pdf.pdf_catalog(), "AcroForm", "<</Fields [] /SigFlags 3>>")
    with pytest.raises(Usage, match="signed"):
        written(pdf.tobytes(), tmp_path)
    out, texts, _ = written(pdf.tobytes(), tmp_path, policy="force")
    assert list(read_words(out).text) == texts


# ---- images ------------------------------------------------------------------------------------

def drawing():
    """300 x 240 px, a dark corner top left, so that every turn shows."""
    image = np.full((240, 300, 3), 255, np.uint8)
    image[:40, :60] = (0, 0, 200)
    return image


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp", ".webp"])
def test_an_image_becomes_a_page_of_its_size_that_looks_the_same(suffix, tmp_path):
    source = open_source(image_file(tmp_path / f"a{suffix}", drawing()))
    shown = page(source.page_source(0), PageSettings())
    layers, _, _ = layered(source, 1)
    write_pdf(source, layers, tmp_path / "out.pdf")
    made = pymupdf.open(tmp_path / "out.pdf")[0]
    assert (made.rect.width, made.rect.height) == pytest.approx((300 * 72 / 300, 240 * 72 / 300))
    back = page(open_source(tmp_path / "out.pdf").page_source(0), PageSettings(dpi=300)).image
    rgb = shown.image if shown.image.ndim == 3 else np.repeat(shown.image[:, :, None], 3, 2)
    assert back.shape == rgb.shape
    difference = np.abs(back.astype(int) - rgb)
    # Two JPEG decoders may differ where colour, stored at half size, is scaled up at an edge.
    assert difference.mean() < 1 if suffix == ".jpg" else difference.max() == 0


def test_the_jpegs_own_bytes_are_in_the_pdf(tmp_path):
    path = image_file(tmp_path / "a.jpg", drawing())
    source = open_source(path)
    write_pdf(source, layered(source, 1)[0], tmp_path / "out.pdf")
    assert path.read_bytes() in (tmp_path / "out.pdf").read_bytes()


def test_a_cmyk_jpeg_keeps_its_bytes_and_its_colours(tmp_path):
    cmyk = np.zeros((240, 300, 4), np.uint8)
    cmyk[:40, :60] = (0, 255, 255, 0)  # red, as in `drawing`
    stored = 255 - cmyk  # as Adobe programs do; MuPDF writes their mark and what it is given
    pixmap = pymupdf.Pixmap(pymupdf.csCMYK, 300, 240, stored.tobytes(), False)
    (tmp_path / "a.jpg").write_bytes(pixmap.tobytes("jpg"))
    source = open_source(tmp_path / "a.jpg")
    shown = page(source.page_source(0), PageSettings()).image
    write_pdf(source, layered(source, 1)[0], tmp_path / "out.pdf")
    assert source.content in (tmp_path / "out.pdf").read_bytes()
    back = page(open_source(tmp_path / "out.pdf").page_source(0), PageSettings(dpi=300)).image
    for image in (shown, back):  # inverted colours would be off by 255
        assert image[200, 200].min() > 200 and image[20, 20, 0] > 120 > image[20, 20, 2]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_turned_by_exif_lies_as_it_is_seen_and_keeps_its_bytes(orientation, tmp_path):
    source = open_source(exif_jpeg(tmp_path / "a.jpg", drawing(), orientation))
    shown = page(source.page_source(0), PageSettings())
    write_pdf(source, layered(source, 1)[0], tmp_path / "out.pdf")
    assert source.content in (tmp_path / "out.pdf").read_bytes()
    back = page(open_source(tmp_path / "out.pdf").page_source(0), PageSettings(dpi=300)).image
    assert back.shape == shown.image.shape
    assert np.abs(back.astype(int) - shown.image).mean() < 2


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_an_image_lying_on_its_side_is_shown_upright(turns, tmp_path):
    source = open_source(image_file(tmp_path / "a.png", np.rot90(drawing(), -turns).copy()))
    layers, texts, _ = layered(source, 2, turns=turns)
    write_pdf(source, layers, tmp_path / "out.pdf")
    back = page(open_source(tmp_path / "out.pdf").page_source(0), PageSettings(dpi=300)).image
    assert back.shape == (240, 300, 3)
    assert np.abs(back.astype(int) - drawing()[:, :, ::-1]).max() == 0
    found = read_words(tmp_path / "out.pdf")
    assert list(found.text) == texts[:2]
    # Laid out at 40 pt from the top of the upright page, 10 pt high.
    assert found.box[0, 1] == pytest.approx(40, abs=0.5) and found.box[0, 3] == pytest.approx(50, abs=0.5)


def test_each_page_of_a_tiff_becomes_a_page(tmp_path):
    pages = [drawing()[:, :, 0].copy(), drawing()[:200, :, 0].copy()]
    (tmp_path / "a.tif").write_bytes(cv2.imencodemulti(".tif", pages)[1].tobytes())
    source = open_source(tmp_path / "a.tif")
    write_pdf(source, layered(source, 1)[0], tmp_path / "out.pdf")
    made = pymupdf.open(tmp_path / "out.pdf")
    assert [round(p.rect.height) for p in made] == [58, 48]  # 240 and 200 px at 300 dpi
    assert [words_on(p).text for p in made] == [("The",), ("The",)]


# ---- writing -----------------------------------------------------------------------------------

def test_a_failure_leaves_the_old_output_and_no_other_file(tmp_path):
    (tmp_path / "out.pdf").write_bytes(b"old")
    with pytest.raises(Usage):
        written(with_text(hidden=True), tmp_path)
    source = open_source(pdf_page(), "a.pdf")
    layers, _, _ = layered(source)
    broken = PageLayer(7, layers[0].page, layers[0].placed)  # the document has one page
    with pytest.raises(Unreadable):
        write_pdf(source, [broken], tmp_path / "out.pdf")
    assert [p.name for p in tmp_path.iterdir()] == ["out.pdf"]
    assert (tmp_path / "out.pdf").read_bytes() == b"old"


def test_a_folder_that_is_not_there_is_named(tmp_path):
    source = open_source(pdf_page(), "a.pdf")
    with pytest.raises(Unreadable, match="nowhere"):
        write_pdf(source, layered(source)[0], tmp_path / "nowhere" / "out.pdf")


def test_the_input_can_be_replaced_by_the_output(tmp_path):
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf_page())
    os.chmod(path, 0o640)
    source = open_source(path)
    layers, texts, _ = layered(source)
    write_pdf(source, layers, path)
    assert list(read_words(path).text) == texts
    assert path.stat().st_mode & 0o777 == 0o640


def test_the_same_page_gives_the_same_layer_twice(tmp_path):
    source = open_source(pdf_page(), "a.pdf")
    layers, _, _ = layered(source)
    streams = []
    for name in ("one.pdf", "two.pdf"):
        write_pdf(source, layers, tmp_path / name)
        pdf = pymupdf.open(tmp_path / name)
        streams.append(pdf.xref_stream(pdf[0].get_contents()[0]))
    assert streams[0] == streams[1] and streams[0].startswith(b"q BT 3 Tr")


def test_a_page_without_words_is_written(tmp_path):
    source = open_source(pdf_page(), "a.pdf")
    layers, _, _ = layered(source, 1)
    table = layers[0].placed
    blank = type(table)(np.array([""]), table.quad, table.font_size, table.stretch,
                        table.space_after, table.parents)
    report = write_pdf(source, [PageLayer(0, layers[0].page, blank)], tmp_path / "out.pdf")
    assert report.n_words == 0 and read_words(tmp_path / "out.pdf").text == ()


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="this system cannot limit a file's size")
def test_a_full_disk_is_told_of_the_file_written_and_leaves_none(tmp_path):
    import resource
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
    source = open_source(pdf_page())
    layers = layered(source)[0]
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing more fails, as on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(Unreadable, match=r"out\.pdf cannot be written: .*make room"):
            write_pdf(source, layers, tmp_path / "out.pdf", LayerSettings())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []
