"""One step body, three parallel drivers, checkpoints that verify, a loop that resumes."""

from symjax.training.checkpoint import CheckpointStore
from symjax.training.directory import (
    Run,
    absolute_data,
    enter_run,
    free_folder,
    plain,
    plot_learning_curve,
    read_options,
    read_report,
    read_run,
    report_run,
    require_free,
    require_same,
    require_same_data,
    write_picture,
    write_report,
    write_run,
)
from symjax.training.disk import read_bytes, require_another, require_folder, require_new, write_bytes
from symjax.training.ensemble import add_members, ensemble, init_ensemble, member, scanned
from symjax.training.experiment import Errors, command_line, run_experiment
from symjax.training.files import damaged, decode, read_json, write_json
from symjax.training.identity import OtherModelError, digest_json, name_of, require_same_identity, seal
from symjax.training.interrupt import interruptions
from symjax.training.loop import FitResult, Keep, fit
from symjax.training.metrics import MetricsLog, evaluate_batches, means, origin
from symjax.training.objective import Objective, Weight, weight_at, weighted
from symjax.training.pace import Pace
from symjax.training.parallel import Parallel, initialise_distributed, parallelise, run_once
from symjax.training.recipe import Recipe, make_optimizer, require_sound
from symjax.training.run import Batches, Task, measure, member_keys, say, train
from symjax.training.schedule import Plateau, piecewise_linear, read_schedule, warmup_cosine
from symjax.training.state import (
    Progress,
    TrainState,
    inference_params,
    init_state,
    restore_params,
    restore_run,
    resume,
    save_params,
)
from symjax.training.step import make_evaluation, make_step

__all__ = [
    "Batches",
    "CheckpointStore",
    "Errors",
    "FitResult",
    "Keep",
    "MetricsLog",
    "Objective",
    "OtherModelError",
    "Pace",
    "Parallel",
    "Plateau",
    "Progress",
    "Recipe",
    "Run",
    "Task",
    "TrainState",
    "Weight",
    "absolute_data",
    "add_members",
    "command_line",
    "damaged",
    "decode",
    "digest_json",
    "ensemble",
    "enter_run",
    "evaluate_batches",
    "fit",
    "free_folder",
    "inference_params",
    "init_ensemble",
    "init_state",
    "initialise_distributed",
    "interruptions",
    "make_evaluation",
    "make_optimizer",
    "make_step",
    "means",
    "measure",
    "member",
    "member_keys",
    "name_of",
    "origin",
    "parallelise",
    "piecewise_linear",
    "plain",
    "plot_learning_curve",
    "read_bytes",
    "read_json",
    "read_options",
    "read_report",
    "read_run",
    "read_schedule",
    "report_run",
    "require_another",
    "require_folder",
    "require_free",
    "require_new",
    "require_same",
    "require_same_data",
    "require_same_identity",
    "require_sound",
    "restore_params",
    "restore_run",
    "resume",
    "run_experiment",
    "run_once",
    "save_params",
    "say",
    "scanned",
    "seal",
    "train",
    "warmup_cosine",
    "weight_at",
    "weighted",
    "write_bytes",
    "write_json",
    "write_picture",
    "write_report",
    "write_run",
]
