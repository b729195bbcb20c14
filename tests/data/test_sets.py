import numpy as np

from symjax.data.sets import gaussian_sets, gaussian_sets_bayes


def test_the_optimum_is_the_published_one():
    """Accuracies for 50, 100 and 500 numbers, cross entropy for 50, all from an integration by other means."""
    best = gaussian_sets_bayes()
    np.testing.assert_allclose(best, (50 * np.log(1.25) / 0.25, 0.7108, 0.5586), atol=5e-5)
    others = [gaussian_sets_bayes(*sizes).accuracy for sizes in ((20, 5), (50, 5), (10, 50))]
    np.testing.assert_allclose(others, (0.7845, 0.8936, 0.9610), atol=5e-5)


def test_the_rule_attains_the_optimum():
    sets, best = gaussian_sets(40_000, seed=0), gaussian_sets_bayes()
    squares = np.sum(sets.members**2, axis=(1, 2))
    assert sets.labels.mean() == 0.5
    np.testing.assert_allclose(np.mean((squares < best.threshold) == sets.labels), best.accuracy, atol=3 * 0.5 / 200)
    evidence = squares / 8 - 25 * np.log(1.25)
    entropy = np.logaddexp(0, np.where(sets.labels == 1, evidence, -evidence))
    np.testing.assert_allclose(entropy.mean(), best.bce, atol=3 * entropy.std() / 200)
    np.testing.assert_allclose([sets.members[::2].var(), sets.members[1::2].var()], (1.0, 0.8), rtol=0.01)
