"""Coloured digits: a shape that tells 75 % of the labels everywhere, and a colour that tells more where one trains.

The label is whether a digit is below 5, wrong for a quarter of them; the colour is the label, wrong for a part e that
differs between environments: 0.1 and 0.2 to learn from, 0.9 to be tested on (Arjovsky et al. 2019, arXiv:1907.02893,
sec. 5.2). Who looks at the shape alone is right at most 75 % of the time; who reads the colour of the test environment
the other way round, 90 %.
"""

import pathlib
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int


class Digits(NamedTuple):
    """Grey images of digits, 0 to 1, and what they are."""

    images: Float[np.ndarray, "n h w"]
    digits: Int[np.ndarray, " n"]


class ColouredDigits(NamedTuple):
    """Images with one of two channels lit, and labels.

    Attributes:
        images: 0 to 1; the channel of the other colour is zero.
        labels: 1. for a digit below 5, before the noise.
        colours: which channel is lit.
    """

    images: Float[np.ndarray, "n h w 2"]
    labels: Float[np.ndarray, " n"]
    colours: Int[np.ndarray, " n"]


def read_digits(path: str | pathlib.Path | None = None) -> Digits:
    """Return the digits of an .npz file of `images` [n, h, w], 0 to 255, and `labels` [n]; by default scikit-learn's.

    Images of 28 x 28 are thinned to every other pixel; scikit-learn's 1797 have 8 x 8.

    Raises:
        ModuleNotFoundError: no path is given and scikit-learn is not installed.
        ValueError: the file does not hold such arrays.
    """
    if path is None:
        return _small_digits()
    with np.load(path, allow_pickle=False) as file:
        if missing := {"images", "labels"} - set(file):
            raise ValueError(f"{path} has no {' and no '.join(sorted(missing))}; it needs images [n, h, w], labels [n]")
        images, labels = file["images"], file["labels"]
    if images.ndim != 3 or labels.shape != images.shape[:1]:
        raise ValueError(f"expected images [n, h, w] and labels [n] in {path}, got {images.shape} and {labels.shape}")
    stride = 2 if images.shape[1] >= 28 else 1
    return Digits(images[:, ::stride, ::stride].astype(np.float32) / 255, labels.astype(np.int32))


def colour_digits(given: Digits, wrong: float, *, noise: float = 0.25, seed: int = 0) -> ColouredDigits:
    """Return coloured digits: label = (digit < 5) xor noise, colour = label xor chance.

    Args:
        given: grey ones.
        wrong: e, how often the colour is not the label.
        noise: how often the label is not what the shape says.
        seed: of both.

    Raises:
        ValueError: a probability lies outside of [0, 1].
    """
    for name, chance in (("wrong", wrong), ("noise", noise)):
        if not 0 <= chance <= 1:
            raise ValueError(f"expected {name} to be a probability, got {chance}")
    rng = np.random.default_rng(seed)
    labels = (given.digits < 5) ^ _chance(rng, noise, len(given.digits))
    colours = labels ^ _chance(rng, wrong, len(given.digits))
    images = given.images[..., None] * (np.arange(2) == colours[:, None, None, None])
    return ColouredDigits(images.astype(np.float32), labels.astype(np.float32), colours.astype(np.int32))


def _chance(rng: np.random.Generator, probability: float, n: int) -> Bool[np.ndarray, " n"]:
    return rng.random(n) < probability


def _small_digits() -> Digits:
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "digits without a path come from scikit-learn, which is not installed: pip install 'symjax[data]', or give "
            "the path of an .npz file of images and labels"
        ) from None
    images, digits = (np.asarray(part) for part in load_digits(return_X_y=True))
    return Digits((images.reshape(-1, 8, 8) / 16).astype(np.float32), digits.astype(np.int32))
