"""Word windows and the shape, weights and errors of the Word Deep Net."""

import cv2
import numpy as np
import pytest
import torch

from core import geometry
from core.errors import Mismatch, Missing, Usage
from core.recognizer import alphabet, net, window
from core.recognizer.alphabet import N_CLASSES
from core.recognizer.architecture import NetSettings

TINY = NetSettings(channels=(4, 8, 8, 8), hidden=8)


def turned_quad(centre, length, height, degrees):
    """A quad of that size, its baseline turned clockwise (y is down) about its centre."""
    a = np.deg2rad(degrees)
    u = np.array([np.cos(a), np.sin(a)]) * length / 2
    v = np.array([-np.sin(a), np.cos(a)]) * height / 2
    return np.array([-u - v, u - v, u + v, -u + v]) + centre


@pytest.mark.parametrize("degrees", [0, 7, -30, 90, 180, 225])
@pytest.mark.parametrize("height", [20, 40, 110])
def test_a_dot_lands_where_the_affine_says(degrees, height):
    page = np.full((400, 500), 255, np.uint8)
    cv2.circle(page, (250, 200), 2, 0, -1)  # its centre is (250.5, 200.5) at pixel edges
    quad = turned_quad((252, 199), 3 * height, height, degrees)
    cut, upright_from_window = window.cut_window(page, quad)
    ink = 255.0 - cut
    y, x = np.mgrid[:cut.shape[0], :cut.shape[1]] + 0.5
    centre = np.array([(ink * x).sum(), (ink * y).sum()]) / ink.sum()
    scale = height * 1.2 / 32  # page px per window px
    found = geometry.apply(upright_from_window, centre)
    # a quarter of a window px: bilinear weights of a dot of a few pixels
    assert np.abs(found - (250.5, 200.5)).max() < 0.25 * max(scale, 1)


def test_the_quad_with_its_margin_fills_the_window():
    quad = turned_quad((100, 100), 120, 30, 10)
    affine, width = window.window_affine(quad, margin=0.1)
    corners = geometry.apply(geometry.invert(affine), quad)
    assert width % 4 == 0
    assert corners[0] == pytest.approx((3 * width / 126, 32 / 12), abs=0.01)
    assert corners[2] == pytest.approx((width - 3 * width / 126, 32 - 32 / 12), abs=0.01)


def test_long_text_is_squeezed_to_the_widest_window():
    page = np.full((60, 3000), 255, np.uint8)
    cut, affine = window.cut_window(page, turned_quad((1500, 30), 2900, 30, 0), max_width=320)
    assert cut.shape == (32, 320)
    assert geometry.apply(affine, [320, 16])[0] > 2950


def test_light_on_dark_becomes_dark_on_light():
    page = np.zeros((60, 200), np.uint8)
    cv2.putText(page, "word", (40, 40), cv2.FONT_HERSHEY_SIMPLEX, 1, 255, 2)
    quad = geometry.quads_from_boxes([38, 15, 120, 44])[0]
    assert window.guess_polarity(page, quad) == window.LIGHT_ON_DARK
    assert window.guess_polarity(255 - page, quad) == window.DARK_ON_LIGHT
    light, _ = window.cut_window(page, quad, window.LIGHT_ON_DARK)
    dark, _ = window.cut_window(255 - page, quad, window.DARK_ON_LIGHT)
    assert np.array_equal(light, dark)


def test_fine_stripes_become_gray_not_moire():
    page = np.full((300, 900), 255, np.uint8)
    page[:, ::2] = 0  # shrunk about eight times, these must average out
    cut, _ = window.cut_window(page, geometry.quads_from_boxes([50, 20, 850, 240])[0])
    assert cut.min() > 100 and cut.max() < 155


def test_a_quad_at_the_edge_of_the_page_repeats_the_border():
    page = np.full((40, 100), 200, np.uint8)
    cut, _ = window.cut_window(page, geometry.quads_from_boxes([-20, -5, 120, 45])[0])
    assert (cut == 200).all()


@pytest.mark.parametrize("width", [32, 100, 160])
def test_a_time_step_is_four_pixels(width):
    scores = net.WordNet(TINY).eval()(torch.zeros(2, 1, 32, width))
    assert scores.shape == (2, width // 4, N_CLASSES)


def test_default_net_has_the_size_it_says():
    assert net.n_parameters(net.WordNet(NetSettings())) == pytest.approx(1.28e6, rel=0.01)


def test_weights_of_ascii_alone_read_as_before_in_the_whole_alphabet(tmp_path):
    windows = np.random.default_rng(0).integers(0, 255, (2, 32, 64)).astype(np.uint8)
    width, n = np.array([64, 40]), len(alphabet.ASCII) + 1
    small = net.WordNet(TINY).eval()
    net.save(small, tmp_path / "w.pt", 0)
    old = net.load(tmp_path / "w.pt", bf16=False).log_probs(windows, width)[..., :n]
    content = torch.load(tmp_path / "w.pt", weights_only=True)
    for name in ("out.weight", "out.bias"):
        content["weights"][name] = content["weights"][name][:n].clone()
    content |= {"alphabet": alphabet.ASCII, "digest": alphabet.digest_of(alphabet.ASCII)}
    net.write_atomically(content, tmp_path / "old.pt")
    found = net.load(tmp_path / "old.pt", bf16=False).log_probs(windows, width)
    assert found.shape == (2, 16, N_CLASSES)
    assert np.array_equal(found[..., :n].argmax(2), old.argmax(2))
    content |= {"alphabet": "xyz", "digest": alphabet.digest_of("xyz")}
    net.write_atomically(content, tmp_path / "other.pt")
    with pytest.raises(Mismatch, match="other.pt"):
        net.load(tmp_path / "other.pt")


def test_padding_steps_say_blank():
    loaded = net.LoadedNet(net.WordNet(TINY), "tiny", "", bf16=False)
    windows = np.random.default_rng(0).integers(0, 255, (1, 32, 64)).astype(np.uint8)
    found = loaded.log_probs(windows, np.array([40]))
    assert found.shape == (1, 16, N_CLASSES)
    assert (found[0, 10:].argmax(1) == 0).all() and np.exp(found[0, :10]).sum(1) == pytest.approx(1)


def test_what_lies_in_the_padding_does_not_matter():
    windows = np.random.default_rng(0).integers(0, 255, (1, 32, 64)).astype(np.uint8)
    other = windows.copy()
    other[:, :, 40:] = 7
    width = np.array([40])
    assert np.array_equal(window.standardise(windows, width), window.standardise(other, width))


def test_saved_weights_read_like_the_trained_net(tmp_path):
    torch.manual_seed(3)
    model = net.WordNet(TINY)
    model(torch.randn(8, 1, 32, 64))  # gives the batch norms statistics to fold
    model.eval()
    net.save(model, tmp_path / "w.pt", samples=5)
    loaded = net.load(tmp_path / "w.pt", bf16=False)
    windows = np.random.default_rng(0).integers(0, 255, (3, 32, 64)).astype(np.uint8)
    width = np.full(3, 64)
    with torch.no_grad():
        x = torch.from_numpy(window.standardise(windows, width)).unsqueeze(1)
        truth = model(x).log_softmax(2).numpy()
    # weights are stored as fp16, eleven bits
    assert np.abs(loaded.log_probs(windows, width) - truth).max() < 0.01
    assert sorted(p.name for p in tmp_path.iterdir()) == ["w.pt"]


def test_weights_that_are_not_there_or_do_not_fit_say_so(tmp_path):
    with pytest.raises(Missing, match="gone.pt"):
        net.load(tmp_path / "gone.pt")
    (tmp_path / "junk.pt").write_bytes(b"not weights")
    with pytest.raises(Mismatch, match="junk.pt"):
        net.load(tmp_path / "junk.pt")
    net.save(net.WordNet(TINY), tmp_path / "w.pt", 0)
    content = torch.load(tmp_path / "w.pt", weights_only=True)
    torch.save({**content, "digest": "0" * 16}, tmp_path / "other.pt")
    with pytest.raises(Mismatch, match="alphabet"):
        net.load(tmp_path / "other.pt")
    larger = {**content["settings"], "hidden": 16}
    torch.save({**content, "settings": larger}, tmp_path / "shape.pt")
    with pytest.raises(Mismatch, match="shape.pt"):
        net.load(tmp_path / "shape.pt")


def test_a_net_with_two_stages_is_refused():
    with pytest.raises(Usage, match="four"):
        NetSettings(channels=(8, 8, 8))
