from experiments import cate


def test_the_r_learner_beats_a_constant(capsys):
    found = cate.main(units=400, learners=("R",))
    assert found["R"] < 0.7  # a constant errs by .71
    assert "R" in capsys.readouterr().out
