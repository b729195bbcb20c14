"""How anything is learnt: the optimiser and its schedules, and how often a run looks up from its steps."""

from symjax.training.recipe.pace import Pace as Pace, require_batches as require_batches, require_pace as require_pace
from symjax.training.recipe.recipe import (
    Recipe as Recipe,
    is_count as is_count,
    make_optimizer as make_optimizer,
    require_sound as require_sound,
)
from symjax.training.recipe.schedule import (
    Plateau as Plateau,
    piecewise_linear as piecewise_linear,
    read_schedule as read_schedule,
    warmup_cosine as warmup_cosine,
)
