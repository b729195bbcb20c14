"""Who acts: groups that sample elements of every component."""

from symjax.groups.group import Group
from symjax.groups.matrix import SE, SO, E, Motion, O, Translations
from symjax.groups.permutation import S, TimeShifts

__all__ = ["SE", "SO", "E", "Group", "Motion", "O", "S", "TimeShifts", "Translations"]
