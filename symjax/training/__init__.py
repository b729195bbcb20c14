"""One step body, three parallel drivers, checkpoints that verify, a loop that resumes."""

from symjax.training.checkpoint import CheckpointStore, OtherModelError
from symjax.training.loop import FitResult, fit
from symjax.training.metrics import MetricsLog, evaluate_batches, finished, means, origin
from symjax.training.parallel import Parallel, initialise_distributed, parallelise, run_once
from symjax.training.schedule import Plateau, piecewise_linear, warmup_cosine
from symjax.training.state import Progress, TrainState, inference_params, init_state, restore_params, resume
from symjax.training.step import make_evaluation, make_step

__all__ = [
    "CheckpointStore",
    "FitResult",
    "MetricsLog",
    "OtherModelError",
    "Parallel",
    "Plateau",
    "Progress",
    "TrainState",
    "evaluate_batches",
    "finished",
    "fit",
    "inference_params",
    "init_state",
    "initialise_distributed",
    "make_evaluation",
    "make_step",
    "means",
    "origin",
    "parallelise",
    "piecewise_linear",
    "restore_params",
    "resume",
    "run_once",
    "warmup_cosine",
]
