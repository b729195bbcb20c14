import sys

import numpy as np
import pytest

from symjax.data.colours import Digits, colour_digits, read_digits


@pytest.fixture(scope="module")
def digits():
    rng = np.random.default_rng(0)
    return Digits(rng.random((20_000, 2, 2), np.float32), rng.integers(0, 10, 20_000))


@pytest.mark.parametrize("wrong", [0.0, 0.1, 0.9])
def test_labels_and_colours_are_wrong_as_often_as_they_should(digits, wrong):
    coloured = colour_digits(digits, wrong, seed=3)
    below = digits.digits < 5
    assert np.mean(coloured.labels != below) == pytest.approx(0.25, abs=0.015)
    assert np.mean(coloured.labels != coloured.colours) == pytest.approx(wrong, abs=0.015)
    shape = np.mean((coloured.colours != below)[coloured.labels == below])  # the colour knows the label, not the shape
    assert shape == pytest.approx(wrong, abs=0.015)
    assert (coloured.images.dtype, coloured.labels.dtype) == (np.float32, np.float32)
    rows = np.arange(len(coloured.labels))
    np.testing.assert_array_equal(coloured.images[rows, :, :, coloured.colours], digits.images)
    assert not coloured.images[rows, :, :, 1 - coloured.colours].any()


def test_the_seed_decides(digits):
    first, again, other = (colour_digits(digits, 0.2, seed=seed).labels for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


def test_large_images_are_thinned(tmp_path):
    images = np.arange(3 * 28 * 28).reshape(3, 28, 28).astype(np.uint8)
    np.savez(tmp_path / "digits.npz", images=images, labels=np.array([7, 1, 2], np.uint8))
    read = read_digits(tmp_path / "digits.npz")
    np.testing.assert_allclose(read.images, images[:, ::2, ::2] / 255, rtol=1e-6)
    assert read.digits.tolist() == [7, 1, 2]


def test_small_digits_come_from_scikit_learn():
    pytest.importorskip("sklearn")
    read = read_digits()
    assert (read.images.shape, read.images.min(), read.images.max()) == ((1797, 8, 8), 0, 1)
    assert read.digits[:10].tolist() == list(range(10))


def test_one_sentence_for_what_is_not_there(tmp_path, digits, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'symjax\[data\]', or give the path"):
        read_digits()
    np.savez(tmp_path / "a.npz", images=np.zeros((2, 4, 4)))
    with pytest.raises(ValueError, match="has no labels; it needs images"):
        read_digits(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", images=np.zeros((2, 4, 4)), labels=np.zeros(3))
    with pytest.raises(ValueError, match=r"got \(2, 4, 4\) and \(3,\)"):
        read_digits(tmp_path / "b.npz")
    with pytest.raises(ValueError, match=r"expected wrong to be a probability, got 1\.5"):
        colour_digits(digits, 1.5)
