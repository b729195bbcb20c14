"""The columns of a causal question: arms, doses, text, and a sentence for everything that is wrong with them."""

import numpy as np
import pandas as pd
import pytest

from symjax.causal.question import read_study
from symjax.data import as_table

RNG = np.random.default_rng(0)
N = 60


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "drug": np.tile(["new", "old", "none"], N // 3),
            "given": np.tile([0, 1], N // 2),
            "dose": RNG.gamma(2.0, size=N),
            "sex": np.tile(["f", "f", "m"], N // 3),
            "age": RNG.normal(50, 9, N),
            "site": np.repeat(np.arange(6), N // 6),
            "weight": RNG.normal(size=N),
        }
    )


def study(frame, treatment="given", outcome="weight", **options):
    return read_study(as_table(frame), treatment, outcome, **options)


def test_text_makes_arms_and_the_control_comes_first(frame):
    found = study(frame, "drug", control="none")
    assert found.arms == ("none", "new", "old")
    assert found.kind == "arms"
    assert np.array_equal(found.treatment[:3], [1, 2, 0])


def test_two_numbers_are_arms_and_many_are_a_dose(frame):
    assert study(frame).arms == ("0", "1")
    assert study(frame, "dose").kind == "dose"
    assert study(frame, "site", arms=True).arms == tuple("012345")


def test_names_survive_encoding(frame):
    found = study(frame, covariates=["sex", "age"], modifiers=["sex"], cluster="site")
    assert found.names == ("sex=m", "age")
    assert found.modifier_names == ("sex=m",)
    assert np.array_equal(found.covariates[:3, 0], [0, 0, 1])
    assert found.clusters.max() == 5


def test_columns_that_say_nothing_new_are_left_out_with_a_sentence(frame):
    frame = frame.assign(years=frame.age, months=12 * frame.age, both=frame.age + frame.dose, always=1.0)
    found = study(frame, covariates=["age", "months", "dose", "both", "always"])
    assert found.names == ("age", "dose")
    assert found.notes == (
        "months says what age says and was left out.",
        "both follows from age, dose and was left out.",
        "always is the same in every row and was left out.",
    )


def test_missing_values_are_counted_and_dropped_only_when_asked(frame):
    frame.loc[3, "age"] = np.nan
    frame.loc[4, "sex"] = None
    with pytest.raises(ValueError, match=r"sex 1, age 1 of 60 rows.*--drop-missing"):
        study(frame, covariates=["sex", "age"])
    found = study(frame, covariates=["sex", "age"], drop_missing=True)
    assert len(found) == N - 2
    assert 3 not in found.rows
    assert found.notes == ("2 of 60 rows were left out; values are missing in sex 1, age 1.",)


@pytest.mark.parametrize(
    ("change", "options", "sentence"),
    [
        ({}, {"outcome": "sex"}, "the outcome 'sex' is text, such as 'f'"),
        ({"weight": 1.0}, {}, "the outcome 'weight' is 1 in every row"),
        ({"given": 1}, {}, "the treatment 'given' is 1 in every row"),
        ({"given": [1] * 3 + [0] * (N - 3)}, {}, "only 3 rows have given = 1"),
        ({"age": 1e200}, {"covariates": ["age"]}, r"column 'age' reaches 1e\+200; .*take a larger unit"),
        ({"age": np.inf}, {"covariates": ["age"]}, "finite number"),
        ({}, {"covariates": ["given"]}, "'given' is the treatment, and named as a column to adjust for too"),
        ({}, {"covariates": ["age", "age"]}, "'age' is named twice as a column to adjust for"),
        ({}, {"covariates": ["aeg"]}, "did you mean 'age'"),
        ({}, {"modifiers": ["weight"]}, "'weight' is the outcome, and named as a modifier too"),
        ({}, {"modifiers": ["given"]}, "'given' is the treatment, and named as a modifier too"),
        ({}, {"cluster": "given"}, "'given' is the treatment, and named as a cluster too"),
        ({"site": 3}, {"cluster": "site"}, "all rows are in one cluster, site = 3"),
        ({"age": np.nan}, {"covariates": ["age"], "drop_missing": True}, "no row is complete"),
        ({}, {"instrument": "given"}, "'given' is the treatment, and named as the instrument too"),
        ({"site": 3}, {"instrument": "site"}, "the instrument 'site' is 3 in every row"),
        ({}, {"treatment": "dose", "control": "0"}, "has no control"),
        ({}, {"control": "2"}, "never '2'; choose a control among 0, 1"),
        ({}, {"treatment": "dose", "arms": True}, "has 60 arms"),
        ({"name": [f"u{i}" for i in range(N)]}, {"covariates": ["name"]}, "60 values.*only names the units"),
        ({"day": pd.date_range("2026-01-01", periods=N)}, {"covariates": ["day"]}, "is a time"),
    ],
)
def test_a_sentence_for_what_cannot_be_used(frame, change, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        study(frame.assign(**change), **options)


def test_more_columns_than_rows(frame):
    wide = frame.assign(**{f"x{i}": RNG.normal(size=N) for i in range(N)})
    with pytest.raises(ValueError, match="60 rows cannot adjust for 59 columns"):
        study(wide, covariates=[f"x{i}" for i in range(N)])
