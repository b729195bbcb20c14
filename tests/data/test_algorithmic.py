import numpy as np
import pytest

from symjax.data import composition, modular, shuffled_part, sparse_parity
from symjax.groups import S, finite_elements


@pytest.mark.parametrize(("operation", "rule"), [("add", np.add), ("mul", np.multiply)])
def test_modular_tables(operation, rule):
    table = modular(7, operation)
    x, y = table.tokens.T
    assert (table.labels == rule(x, y) % 7).all()
    assert (7 * x + y == np.arange(49)).all()
    assert table[2:] == (7, 7)


def test_composition_is_a_group_table_and_not_commutative():
    table = composition(S(4))
    products = table.labels.reshape(24, 24)
    assert (np.sort(products, axis=0) == np.arange(24)[:, None]).all()
    assert (np.sort(products, axis=1) == np.arange(24)[None]).all()
    assert (products[0] == np.arange(24)).all()
    a, b, c = np.random.default_rng(0).integers(0, 24, (3, 50))
    assert (products[products[a, b], c] == products[a, products[b, c]]).all()
    assert (products != products.T).any()


def test_the_product_applies_the_second_element_first():
    table, matrices = composition(S(3)), np.array(list(finite_elements(S(3).generators, 3).values()))
    assert (matrices[table.labels] == matrices[table.tokens[:, 0]] @ matrices[table.tokens[:, 1]]).all()


def test_sparse_parity_sees_the_first_bits_only():
    table = sparse_parity(5, degree=2)
    assert len(np.unique(table.tokens, axis=0)) == 32
    assert (table.labels == table.tokens[:, 0] ^ table.tokens[:, 1]).all()


def test_parts_are_shuffled_and_nested():
    small, large = (shuffled_part(100, fraction, seed=1) for fraction in (0.3, 0.5))
    assert (small.sum(), large.sum()) == (30, 50)
    assert (small <= large).all()
    assert not small[:30].all()
    assert (shuffled_part(100, 0.3, seed=2) != small).any()
    with pytest.raises(ValueError, match="leaves some of 10 inputs for either part, got 1"):
        shuffled_part(10, 1.0, seed=0)
