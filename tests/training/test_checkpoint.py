"""Checkpoints that were damaged are recognised, passed over and named."""

import os
import resource
import shutil
import signal

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import toy

from symjax.training import CheckpointStore, OtherModelError, Progress, init_state, restore_params, resume
from symjax.training.checkpoints.state import save_state


def params(seed):
    """Enough of them that a damaged data file damages numbers."""
    rng = np.random.default_rng(seed)
    return {"w": jnp.asarray(rng.normal(size=(3, 2000))), "out": {"v": jnp.asarray(rng.normal(size=2000))}}


def state(seed=0):
    return init_state(params(seed), optax.adam(1e-3), key=jax.random.key(seed), ema=True)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Steps 2, 4 and 6 of a run whose best is 2; parameters are those of seed = step."""
    folder = tmp_path_factory.mktemp("written")
    with CheckpointStore(folder, keep=2) as store:
        for step in (2, 4, 6):
            progress = Progress(epoch=step // 2, step=step, best=0.5, best_step=2, sums={"e": (0.1, 3.0)})
            save_state(store, state(seed=step), progress)
    return folder


@pytest.fixture
def folder(written, tmp_path):
    return shutil.copytree(written, tmp_path / "run")


def biggest(folder, item):
    files = [path for path in (folder / item).rglob("*") if path.is_file() and path.parent.name == "d"]
    return max(files, key=lambda path: path.stat().st_size)


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def test_round_trip_keeps_every_bit_type_and_key(folder):
    with CheckpointStore(folder) as store:
        found = resume(store, state(seed=0))
    assert found.passed_over == ()
    assert found.progress == Progress(epoch=3, step=6, best=0.5, best_step=2, sums={"e": (0.1, 3.0)})
    expected = state(seed=6)
    assert jax.tree.structure(found.state) == jax.tree.structure(expected)
    assert jax.tree.map(lambda x: x.dtype, found.state) == jax.tree.map(lambda x: x.dtype, expected)
    assert toy.distance(found.state, expected) == 0
    assert jax.random.key_impl(found.state.key) == jax.random.key_impl(expected.key)


def test_newest_damaged_by_each_accident_falls_back_and_says_so(folder):
    flip_a_byte(biggest(folder / "6", "params"))
    path = biggest(folder / "4", "ema")
    path.write_bytes(path.read_bytes()[:50])
    (folder / "9").mkdir()
    (folder / "11.orbax-checkpoint-tmp" / "params").mkdir(parents=True)
    with CheckpointStore(folder) as store:
        found = resume(store, state(seed=0))
        assert toy.distance(found.state, state(seed=2)) == 0
        assert len(found.passed_over) == 3
        for sentence, (step, reason) in zip(
            found.passed_over,
            [
                (9, "empty folder"),
                (6, "'params' does not match its digest"),
                (4, "a file of it is missing or unreadable"),
            ],
            strict=True,
        ):
            assert sentence.startswith(f"passed over checkpoint {step} in {folder}, which is damaged")
            assert reason in sentence
        assert store.steps() == [2]
        save_state(store, state(seed=4), Progress(step=4))
    names = {path.name for path in folder.iterdir() if path.is_dir()}
    assert names == {"2", "4", "4.damaged", "6.damaged", "9.damaged"}
    with CheckpointStore(folder, read_only=True) as store:
        assert resume(store, state(seed=0)).progress.step == 4


def test_metadata_is_verified_too(folder):
    metadata = folder / "6" / "meta" / "metadata"
    metadata.write_text(metadata.read_text().replace('"step": 6', '"step": 7'))
    shutil.rmtree(folder / "4" / "meta")
    with CheckpointStore(folder) as store:
        found = resume(store, state(seed=0))
    assert found.progress.step == 2
    assert "metadata does not match" in found.passed_over[0]


def test_nothing_left_is_an_error_not_a_fresh_start(folder):
    for step in ("2", "4", "6"):
        flip_a_byte(biggest(folder / step, "params"))
    with CheckpointStore(folder) as store, pytest.raises(ValueError, match=r"no checkpoint in .* can be read") as error:
        resume(store, state())
    assert "checkpoint 2" in str(error.value)


def test_serving_reads_the_best_parameters_alone_and_touches_nothing(folder):
    (folder / "8.orbax-checkpoint-tmp").mkdir()
    for step in ("2", "4", "6"):
        shutil.rmtree(folder / step / "rest")
        shutil.rmtree(folder / step / "params")
    with CheckpointStore(folder, read_only=True) as store:
        best, latest = restore_params(store), restore_params(store, latest=True, target=params(0))
    assert (best.step, latest.step) == (2, 6)
    assert toy.distance(best.params, params(2)) == 0
    assert toy.distance(latest.params, params(6)) == 0
    assert (folder / "8.orbax-checkpoint-tmp").exists()


def damage_metadata(folder):
    path = folder / "meta" / "metadata"
    path.write_text(path.read_text().replace('"averaged"', '"avoided"'))


@pytest.mark.parametrize(
    ("spoil", "served", "words"),
    [
        (lambda run: damage_metadata(run / "6"), 2, ("checkpoint 6", "step 2 is", "the best that step 4 knew of")),
        (lambda run: shutil.rmtree(run / "6" / "meta"), 2, ("checkpoint 6", "step 2 is", "that step 4 knew of")),
        (lambda run: (run / "6" / "_CHECKPOINT_METADATA").write_text("["), 2, ("checkpoint 6", "step 2 is")),
        (lambda run: shutil.rmtree(run / "2"), 6, ("checkpoint 2 in", "is not there", "served, in place of step 2")),
        (lambda run: damage_metadata(run / "2"), 6, ("checkpoint 2", "served, in place of step 2")),
        (lambda run: flip_a_byte(biggest(run / "2", "ema")), 6, ("checkpoint 2", "served, in place of step 2")),
        (lambda run: (run / "8").write_text(""), 2, ("checkpoint 8", "the best that step 6 knew of")),
        (lambda run: (run / "8").symlink_to("nowhere"), 2, ("checkpoint 8", "the best that step 6 knew of")),
        (lambda run: os.mkfifo(run / "8"), 2, ("checkpoint 8", "the best that step 6 knew of")),
        (lambda run: None, 2, ()),
    ],
)
def test_nothing_older_is_served_without_a_word(folder, spoil, served, words):
    spoil(folder)
    with CheckpointStore(folder, read_only=True) as store:
        found = restore_params(store)
    assert found.step == served
    assert bool(found.passed_over) == bool(words)
    for word in words:
        assert word in "; ".join(found.passed_over)
    assert toy.distance(found.params, params(served)) == 0


def test_another_model_is_refused_by_name(folder):
    other = init_state({"w": jnp.zeros((3, 9)), "out": {"v": jnp.zeros(9)}}, optax.adam(1e-3), key=jax.random.key(0))
    with CheckpointStore(folder) as store:
        with pytest.raises(OtherModelError, match=r"params/out/v is float64\[2000\] there and float64\[9\] here"):
            resume(store, other)
        with pytest.raises(OtherModelError, match=r"holds \['ema', 'params', 'rest'\] and no 'weights'"):
            store.restore({"weights": None})
        assert store.steps() == [2, 4, 6]


def test_another_model_of_the_same_shapes_is_refused_by_identity(tmp_path):
    with CheckpointStore(tmp_path, identity="methane, 1") as store:
        store.save(1, {"params": params(1)}, {})
        assert store.restore({"params": params(0)}).step == 1
    message = r"checkpoint 1 in .* is of another model .* 'methane, 1' there and '' here; use the settings"
    with CheckpointStore(tmp_path) as store, pytest.raises(OtherModelError, match=message):
        store.restore({"params": None})


def test_latest_and_best_survive_a_restart_of_the_writer(folder):
    for step in (8, 10, 12):
        with CheckpointStore(folder, keep=2) as store:
            save_state(store, state(), Progress(step=step, best_step=2))
    with CheckpointStore(folder, read_only=True) as store:
        assert store.steps() == [2, 10, 12]


def test_an_empty_folder_is_a_beginning_and_saving_a_step_again_replaces_it(tmp_path):
    with CheckpointStore(tmp_path / "new") as store:
        fresh = state()
        assert resume(store, fresh) == (fresh, Progress(), ())
        for seed in (1, 2):
            store.save(5, {"params": params(seed)}, {})
        assert toy.distance(store.restore({"params": params(0)}).items, {"params": params(2)}) == 0
    with CheckpointStore(tmp_path / "other") as empty, pytest.raises(ValueError, match="there is no checkpoint in"):
        restore_params(empty)


def test_a_full_disk_is_one_sentence(tmp_path, caplog):
    """A file-size limit fails each write as a full disk does, with another number."""
    caplog.set_level("CRITICAL")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = CheckpointStore(tmp_path / "full")
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
        store.save(1, {"params": params(0)}, {})
        with pytest.raises(OSError, match=r"^\[Errno 27\] a checkpoint .* be written to .*full: File too large$"):
            store.wait()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    store.save(2, {"params": params(0)}, {})
    assert store.restore({"params": None}).step == 2
    store.close()
