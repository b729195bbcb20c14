"""A question to a table: its columns, its identification, its estimates, and how far they can be trusted."""

from symjax.causal.question.answer import Answer as Answer, Units as Units
from symjax.causal.question.ask import effect as effect
from symjax.causal.question.columns import Study as Study, read_study as read_study
from symjax.causal.question.estimates import Estimated as Estimated
from symjax.causal.question.pictures import draw_answer as draw_answer
from symjax.causal.question.plan import Plan as Plan, make_plan as make_plan
