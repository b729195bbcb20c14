"""The state of a run, and its checkpoints, which are verified when they are read."""

from symjax.training.checkpoints.checkpoint import CheckpointStore as CheckpointStore
from symjax.training.checkpoints.state import (
    Progress as Progress,
    TrainState as TrainState,
    inference_params as inference_params,
    init_state as init_state,
    last_sound_step as last_sound_step,
    longest_streak as longest_streak,
    require_finite as require_finite,
    restore_params as restore_params,
    restore_run as restore_run,
    resume as resume,
    save_params as save_params,
    save_state as save_state,
)
