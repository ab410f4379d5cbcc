"""Files of every kind become a page image with true size, turn and resolution, or a clear refusal."""

import pickle
import resource
import struct
import zlib

import cv2
import numpy as np
import pymupdf
import pytest
from pdf_pages import exif_jpeg, pdf_page

from core import geometry
from core.errors import NeedsPassword, Unreadable, Usage
from core.image_header import read_header
from core.load import PageSettings, open_source, page

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 255, (60, 80, 3), dtype=np.uint8)
SMALL = PageSettings(dpi=72)


def encoded(suffix, image=NOISE, *params):
    return cv2.imencode(suffix, image, params)[1].tobytes()


def first_page(content, settings=SMALL, name="a file"):
    return page(open_source(content, name).page_source(0), settings)


def png_chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_with(kind, body, content=None):
    """A PNG with one more chunk after its header."""
    content = content or encoded(".png")
    return content[:33] + png_chunk(kind, body) + content[33:]


# ---- images ------------------------------------------------------------------------------------

@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".ppm"])
def test_lossless_images_come_as_they_are_in_rgb(suffix):
    assert np.array_equal(first_page(encoded(suffix)).image, NOISE[:, :, ::-1])


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".jp2"])
def test_lossy_images_come_with_their_size(suffix):
    flat = np.full((60, 80, 3), 200, np.uint8)
    found = first_page(encoded(suffix, flat)).image
    assert found.shape == (60, 80, 3) and np.abs(found.astype(int) - 200).max() <= 3


def test_grey_images_stay_grey_and_deep_ones_become_8_bits():
    gray = NOISE[:, :, 0]
    assert np.array_equal(first_page(encoded(".png", gray)).image, gray)
    deep = gray.astype(np.uint16) * 256 + 7
    assert np.array_equal(first_page(encoded(".png", deep)).image, gray)


def test_transparent_paper_is_white():
    drawing = np.zeros((20, 30, 4), np.uint8)
    drawing[5:10, 5:10, 3] = 255  # black ink, opaque; all else transparent black
    image = first_page(encoded(".png", drawing)).image
    assert image[0, 0].tolist() == [255] * 3 and image[7, 7].tolist() == [0] * 3


def test_each_page_of_a_tiff_is_read():
    pages = [NOISE[:, :, 0].copy(), NOISE[:30, :40, 1].copy()]
    source = open_source(cv2.imencodemulti(".tif", pages)[1].tobytes(), "a.tif")
    assert source.n_pages == 2
    for index, truth in enumerate(pages):
        assert np.array_equal(page(source.page_source(index), SMALL).image, truth)
    with pytest.raises(Unreadable, match="a.tif has no page 3; choose one of 1 to 2"):
        source.page_source(2)


def bilevel_tiff(width, height, strip, compression, white_is_zero):
    """A TIFF of one bit a pixel, in one strip, as fax machines and copiers write them."""
    tags = [(256, 4, width), (257, 4, height), (258, 3, 1), (259, 3, compression),
            (262, 3, 0 if white_is_zero else 1), (273, 4, 8), (277, 3, 1), (278, 4, height),
            (279, 4, len(strip))]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return (b"II*\0" + struct.pack("<I", 8 + len(strip)) + strip
            + struct.pack("<H", len(tags)) + entries + bytes(4))


@pytest.mark.parametrize("white_is_zero", [True, False])
def test_bilevel_tiff_keeps_black_on_white(white_is_zero):
    sheet = np.full((40, 64), 255, np.uint8)
    sheet[10:20, 10:50] = 0
    bits = np.packbits((sheet == 0) if white_is_zero else (sheet > 0), axis=1).tobytes()
    found = first_page(bilevel_tiff(64, 40, bits, 1, white_is_zero))
    assert np.array_equal(found.image, sheet)


def test_a_fax_group_4_tiff_is_read():
    # ITU T.6: a row like the one above it (the first: white) is the single bit 1; then EOFB.
    bits = "1" * 40 + "000000000001" * 2
    strip = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    found = first_page(bilevel_tiff(64, 40, strip, 4, white_is_zero=True)).image
    assert found.shape == (40, 64) and found.min() == 255


# ---- turn and resolution -----------------------------------------------------------------------

def turned_by_exif(image, orientation):
    """The EXIF standard's table, written out: what a viewer shows."""
    return {1: image, 2: image[:, ::-1], 3: image[::-1, ::-1], 4: image[::-1],
            5: image.transpose(1, 0, 2), 6: np.rot90(image, -1),
            7: image[::-1, ::-1].transpose(1, 0, 2), 8: np.rot90(image)}[orientation]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_and_recorded(orientation, tmp_path):
    image = np.full((48, 80, 3), 255, np.uint8)
    image[:16, :16], image[:16, 64:] = 0, 90
    source = open_source(exif_jpeg(tmp_path / "a.jpg", image, orientation))
    found = page(source.page_source(0), SMALL)
    truth = turned_by_exif(image, orientation)
    assert found.image.shape == truth.shape and found.exif_orientation == orientation
    assert np.abs(found.image.astype(int) - truth).max() < 25  # JPEG


def test_a_phone_photo_with_exif_6_stands_upright(tmp_path):
    stored = np.full((48, 80), 255, np.uint8)
    stored[:, :16] = 0  # left edge of what is stored = top edge of what is seen
    found = page(open_source(exif_jpeg(tmp_path / "a.jpg", stored, 6)).page_source(0), SMALL).image
    assert found.shape == (80, 48) and found[:14].max() < 60 and found[18:].min() > 200


@pytest.mark.parametrize("per_metre, dpi", [(7874, 200), (11811, 300), (1000, 300), (60000, 300)])
def test_png_resolution_counts_where_it_is_sensible(per_metre, dpi):
    body = struct.pack(">IIB", per_metre, per_metre, 1)
    found = first_page(png_with(b"pHYs", body))
    assert found.dpi == pytest.approx(dpi, abs=0.01)
    assert np.allclose(found.points_from_page, geometry.scaling(72 / found.dpi))
    assert ("taken as 300" in found.note) == (per_metre in (1000, 60000))


def test_an_image_without_resolution_has_300_dpi():
    assert first_page(encoded(".png")).dpi == 300


def test_jpeg_resolution_in_inches_and_centimetres():
    content = encoded(".jpg")
    assert content[6:11] == b"JFIF\0"
    for unit, value, dpi in ((1, 150, 150), (2, 100, 254)):
        changed = content[:13] + struct.pack(">BHH", unit, value, value) + content[18:]
        assert first_page(changed).dpi == pytest.approx(dpi)


def test_a_fax_with_unequal_resolution_has_its_true_shape_in_points():
    body = struct.pack(">IIB", round(204 / 0.0254), round(98 / 0.0254), 1)
    found = first_page(png_with(b"pHYs", body))
    corner = geometry.apply(found.points_from_page, (80, 60))
    assert np.allclose(corner, [80 / 204 * 72, 60 / 98 * 72], rtol=1e-4)


# ---- PDF ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("rotate, size", [(0, (300, 240)), (90, (240, 300)), (180, (300, 240)),
                                          (270, (240, 300))])
def test_a_pdf_page_is_rendered_as_a_viewer_shows_it(rotate, size):
    found = first_page(pdf_page(rotate=rotate), PageSettings(dpi=144))
    assert found.size == (2 * size[0], 2 * size[1]) and found.dpi == 144
    assert np.allclose(found.points_from_page, geometry.scaling(0.5))
    turned = np.rot90(first_page(pdf_page(), PageSettings(dpi=144)).image, -rotate // 90)
    assert np.abs(found.image.astype(int) - turned).mean() < 4  # the same but for resampling


def test_crop_box_and_user_unit_give_the_visible_size():
    assert first_page(pdf_page(500, 400, crop=(100, 50, 450, 330))).size == (350, 280)
    found = first_page(pdf_page(unit=2))
    assert found.size == (600, 480)
    assert np.allclose(geometry.apply(found.points_from_page, found.size), (600, 480))


def test_a_huge_page_is_rendered_smaller_and_says_so():
    pdf = pymupdf.open()
    pdf.new_page(width=14400, height=14400)
    found = first_page(pdf.tobytes(), PageSettings(dpi=300, max_render_megapixels=1))
    assert found.size[0] * found.size[1] <= 1_000_000
    assert "instead of 300: the page is 200 x 200 inches" in found.note
    assert np.allclose(geometry.apply(found.points_from_page, found.size), 14400, atol=20)


def test_a_page_with_text_says_so():
    pdf = pymupdf.open()
    pdf.new_page().insert_text((50, 50), "two words")
    assert "already has text (2 words)" in first_page(pdf.tobytes()).note


def test_passwords():
    pdf = pymupdf.open(stream=pdf_page())
    locked = pdf.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="user", owner_pw="owner")
    with pytest.raises(NeedsPassword, match="a.pdf is encrypted; give its password"):
        open_source(locked, "a.pdf")
    with pytest.raises(NeedsPassword, match="does not open it"):
        open_source(locked, "a.pdf", password="wrong")
    for password in ("user", "owner"):
        source = open_source(locked, "a.pdf", password=password)
        assert page(source.page_source(0), SMALL).size == (300, 240)
        assert password not in repr(source)
    owned = pdf.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, owner_pw="owner")
    assert first_page(owned).size == (300, 240)


def test_a_pdf_cut_short_is_repaired_or_refused_and_either_way_named():
    content = pdf_page()
    assert "damaged and was repaired" in first_page(content[:-100]).note
    for part in (0.05, 0.5):
        cut = content[:int(len(content) * part)]
        try:
            assert "damaged" in first_page(cut, name="a.pdf").note
        except Unreadable as error:
            assert "a.pdf" in str(error)


# ---- what is refused ---------------------------------------------------------------------------

def test_missing_empty_and_foreign_files_are_named(tmp_path):
    with pytest.raises(Unreadable, match="nowhere.png does not exist"):
        open_source(tmp_path / "nowhere.png")
    with pytest.raises(Unreadable, match="is a folder"):
        open_source(tmp_path)
    (tmp_path / "empty.pdf").touch()
    with pytest.raises(Unreadable, match="empty.pdf is empty"):
        open_source(tmp_path / "empty.pdf")
    (tmp_path / "letter.pdf").write_text("Dear Sir or Madam")
    with pytest.raises(Unreadable, match="letter.pdf is no document known here; give a PDF, PNG"):
        open_source(tmp_path / "letter.pdf")
    with pytest.raises(Unreadable):
        open_source(b"%PDF-1.7\n", "a.pdf")


def huge_png(side=40_000):
    """The header of a PNG of side x side px; its pixels are a few bytes of zeros."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)
            + png_chunk(b"IDAT", zlib.compress(bytes(1000))) + png_chunk(b"IEND", b""))


def test_a_png_of_40000_by_40000_is_refused_before_decoding():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kB
    with pytest.raises(Unreadable, match="big.png is 40,000 x 40,000 px, 1,600 megapixels; at most "
                                         "400 are read"):
        first_page(huge_png(), name="big.png")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp", ".webp", ".jp2"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.97])
def test_an_image_cut_short_is_never_read_silently(suffix, part):
    content = encoded(suffix, RNG.integers(0, 255, (300, 400), dtype=np.uint8))
    cut = content[:int(len(content) * part)]
    try:
        assert "damaged: the file ends before the picture does" in first_page(cut).note
    except Unreadable as error:
        assert "a file" in str(error)


def test_a_jpeg_cut_in_half_is_still_shown_with_a_note():
    content = encoded(".jpg")
    assert "damaged" in first_page(content[:len(content) // 2]).note
    assert first_page(content).note == ""


def test_bytes_after_the_end_of_a_jpeg_are_no_damage():
    assert first_page(encoded(".jpg") + b"\0trailer of a camera\xff\x01").note == ""


def test_headers_of_noise_do_not_crash():
    starts = [encoded(suffix)[:16] for suffix in (".png", ".jpg", ".tif", ".bmp", ".webp", ".jp2")]
    starts += [b"GIF89a", b"P6 ", b"%PDF-1.4 ", b"II+\0\x08\0\0\0", b"RIFF    WEBPVP8X"]
    for start in starts:
        for seed in range(20):
            content = start + np.random.default_rng(seed).bytes(300)
            try:
                first_page(content)
            except Unreadable:
                pass


def test_a_tiff_whose_directories_form_a_loop_ends():
    content = bytearray(encoded(".tif"))
    at, = struct.unpack_from("<I", content, 4)
    n, = struct.unpack_from("<H", content, at)
    struct.pack_into("<I", content, at + 2 + 12 * n, at)
    assert read_header(bytes(content)).n_pages == 1


# ---- the rest ----------------------------------------------------------------------------------

def test_digests_differ_by_pixels_and_by_place():
    source = open_source(pdf_page(n_pages=2), "a.pdf")
    one, two = (page(source.page_source(i), SMALL) for i in range(2))
    assert np.array_equal(one.image, two.image) and one.digest != two.digest
    assert one.digest == page(source.page_source(0), SMALL).digest
    assert source.page_source(0).digest != source.page_source(1).digest


def test_a_source_crosses_to_another_process():
    source = pickle.loads(pickle.dumps(open_source(pdf_page(), "a.pdf")))
    assert page(source.page_source(0), SMALL).size == (300, 240)


def test_settings_out_of_range_are_refused():
    with pytest.raises(Usage, match="dpi"):
        PageSettings(dpi=20)
