"""A question to a table: its columns, its identification, its estimates, and how far they can be trusted."""

from symjax.causal.question.columns import Study as Study, read_study as read_study
