from experiments import scm_recovery


def test_linear_mechanisms_are_found_and_multiplicative_noise_is_beyond_them(capsys):
    found = scm_recovery.main("tiny")
    assert found["linear", "linear"].unit < 0.3
    assert found["multiplicative", "linear"].unit > 2 * found["linear", "linear"].unit
    assert {kind for _, kind in found} == {"linear", "location-scale"}
    assert "location-scale" in capsys.readouterr().out
