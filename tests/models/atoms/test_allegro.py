import pytest

from symjax.models.atoms import Allegro


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"lmax": -1}, "expected lmax of at least 0, got -1"),
        ({"lmax": 12}, "expected lmax of at most 11, got 12"),
        ({"channels": 0}, "expected channels of at least 1, got 0"),
        ({"layers": 0}, "expected layers of at least 1, got 0"),
        ({"radial_basis": 0}, "expected radial_basis of at least 1, got 0"),
        ({"readout": 0}, "expected readout of at least 1, got 0"),
        ({"scalars": 0}, "expected scalars of at least 2, got 0"),
        ({"scalars": 5}, "expected an even number of scalars, half for each end of an edge, got 5"),
        ({"hidden": (8, 0)}, "expected hidden of at most 100 numbers of at least 1"),
        ({"outputs": "1x5o"}, "expected outputs that the products reach, got 1x5o, where nothing leads to 5o"),
        ({"outputs": "1x0o", "layers": 1}, "nothing leads to 0o; take more layers, a higher lmax, or parity"),
    ],
)
def test_options_that_cannot_be_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        Allegro(**{"species": 2, "average_neighbours": 3.0} | options)
