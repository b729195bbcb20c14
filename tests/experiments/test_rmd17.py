import dataclasses

import numpy as np
import pytest

import symjax
from experiments import rmd17


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    config = dataclasses.replace(rmd17.PRESETS["tiny"], out=tmp_path_factory.mktemp("rmd17"))
    return config, rmd17.main(config)


def test_a_run_is_one_of_symjax_train(run, capsys):
    config, errors = run
    assert 0 < errors["forces"] < 10_000
    folder = config.out / "ethanol-nequip-8"
    assert (folder / "parity.png").exists()
    assert symjax.load(folder).label == "energy"
    assert rmd17.main(config) == errors
    assert "ethanol, 8 structures, nequip: energy" in capsys.readouterr().out
    other = dataclasses.replace(config.options, network={"channels": 8})
    with pytest.raises(ValueError, match=r"was started with .*channels = 4, not 8"):
        rmd17.main(dataclasses.replace(config, options=other))


def test_frames_are_disjoint_and_drawn_by_the_seed(tmp_path):
    options = rmd17.PRESETS["tiny"].options

    def frames(seed):
        words = rmd17.choose_frames(options, tmp_path, seed)
        return [np.loadtxt(str(word).partition("@")[2], int).tolist() for word in words.values()]

    train, valid, test = frames(0)
    assert [len(train), len(valid), len(test)] == [8, 4, 8]
    assert len({*train, *valid, *test}) == 20
    assert frames(1) != [train, valid, test] == frames(0)
    with pytest.raises(ValueError, match=r"has 600 frames to learn from and 0 to test on, fewer than"):
        rmd17.choose_frames(dataclasses.replace(options, samples=596), tmp_path, 0)


def test_frames_of_the_published_splits(tmp_path):
    (tmp_path / "index_train_02.csv").write_text("\n".join(map(str, range(100, 130))))
    (tmp_path / "index_test_02.csv").write_text("\n".join(map(str, range(200, 230))))
    options = dataclasses.replace(rmd17.PRESETS["tiny"].options, index=tmp_path / "index_train_02.csv")
    words = rmd17.choose_frames(options, tmp_path / "frames", 0)
    firsts = {part: int(np.loadtxt(str(word).partition("@")[2], int)[0]) for part, word in words.items()}
    assert firsts == {"train": 100, "valid": 108, "test": 200}


def test_rows_of_the_published_table_are_found_by_name():
    options = rmd17.Options(data=rmd17.pathlib.Path("npz_data/rmd17_salicylic.npz"))
    assert rmd17.molecule_of(options) == "salicylic"
    assert rmd17.molecule_of(dataclasses.replace(options, molecule="ethanol")) == "ethanol"
    assert all(rows.keys() == rmd17.PAPER[950].keys() for rows in rmd17.PAPER.values())
