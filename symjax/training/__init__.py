"""One step body, three parallel drivers, checkpoints that verify, a loop that resumes."""

from symjax.training.checkpoint import CheckpointStore, OtherModelError
from symjax.training.directory import (
    Run,
    free_folder,
    plain,
    plot_learning_curve,
    read_options,
    read_run,
    require_free,
    require_same,
    start_run,
    write_report,
    write_run,
)
from symjax.training.files import damaged, decode, read_json, write_json
from symjax.training.loop import FitResult, Keep, Pace, fit
from symjax.training.metrics import MetricsLog, evaluate_batches, finished, means, origin
from symjax.training.parallel import Parallel, initialise_distributed, parallelise, run_once
from symjax.training.recipe import Recipe, make_optimizer, require_sound
from symjax.training.run import Batches, Task, say, train
from symjax.training.schedule import Plateau, piecewise_linear, read_schedule, warmup_cosine
from symjax.training.state import Progress, TrainState, inference_params, init_state, restore_params, resume
from symjax.training.step import make_evaluation, make_step

__all__ = [
    "Batches",
    "CheckpointStore",
    "FitResult",
    "Keep",
    "MetricsLog",
    "OtherModelError",
    "Pace",
    "Parallel",
    "Plateau",
    "Progress",
    "Recipe",
    "Run",
    "Task",
    "TrainState",
    "damaged",
    "decode",
    "evaluate_batches",
    "finished",
    "fit",
    "free_folder",
    "inference_params",
    "init_state",
    "initialise_distributed",
    "make_evaluation",
    "make_optimizer",
    "make_step",
    "means",
    "origin",
    "parallelise",
    "piecewise_linear",
    "plain",
    "plot_learning_curve",
    "read_json",
    "read_options",
    "read_run",
    "read_schedule",
    "require_free",
    "require_same",
    "require_sound",
    "restore_params",
    "resume",
    "run_once",
    "say",
    "start_run",
    "train",
    "warmup_cosine",
    "write_json",
    "write_report",
    "write_run",
]
