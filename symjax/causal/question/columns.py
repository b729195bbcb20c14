"""The columns that a causal question needs, as numbers that keep their names, and what is wrong with them."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from symjax.data import Table

SMALLEST_ARM = 10  # rows: fewer cannot be cut into folds that all see it
MOST_ARMS = 10
LARGEST = 1e100  # of numbers: sums of squares must be finite
MOST_LEVELS = 30  # of a text column that is encoded
ALIKE = 1e-8  # of a column's spread: what a combination of others leaves of it

Kind = Literal["binary", "arms", "dose"]


@dataclasses.dataclass(frozen=True, eq=False)
class Study:
    """The data of a question.

    Attributes:
        outcome: of each unit.
        treatment: the number of its arm, the control 0; a dose as it was measured.
        kind: of the treatment: two arms, several, or a dose.
        arms: their names, the control first; none of a dose.
        covariates: what is adjusted for; text as one column for each level but the first.
        names: of the covariates, "severity" or "sex=f".
        instrument: where there is one.
        modifiers: numbers by which effects may differ; `modifier_names` are theirs.
        clusters: the number of each unit's cluster, where there are some.
        rows: of the table that are used.
        notes: what was done to the columns, in sentences.
    """

    outcome: Float[np.ndarray, " n"]
    treatment: Float[np.ndarray, " n"]
    kind: Kind
    arms: tuple[str, ...]
    covariates: Float[np.ndarray, "n p"]
    names: tuple[str, ...]
    instrument: Float[np.ndarray, " n"] | None
    modifiers: Float[np.ndarray, "n m"]
    modifier_names: tuple[str, ...]
    clusters: Int[np.ndarray, " n"] | None
    rows: Int[np.ndarray, " n"]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.outcome)


def read_study(
    table: Table,
    treatment: str,
    outcome: str,
    *,
    covariates: Sequence[str] = (),
    others: Sequence[str] = (),
    instrument: str | None = None,
    modifiers: Sequence[str] = (),
    cluster: str | None = None,
    control: str | None = None,
    arms: bool = False,
    drop_missing: bool = False,
) -> Study:
    """Return the columns of a question as numbers.

    Args:
        table: with a row for each unit.
        treatment: two values, or text, make arms; other numbers are a dose.
        outcome: numbers.
        covariates: numbers or text that is adjusted for.
        others: columns that must be complete as well.
        instrument: numbers, or text of two values.
        modifiers: numbers or text.
        cluster: of units that are not independent.
        control: the value of the treatment that others are compared with; None: the least.
        arms: every number of the treatment is an arm, none is a dose.
        drop_missing: rows with missing values are left out; they are refused otherwise.

    Raises:
        ValueError: no such column; a column in two roles; missing, infinite, constant or text where numbers are
            needed; an arm of too few rows; as many columns as rows.
    """
    used = _distinct(treatment, outcome, instrument, covariates)
    _require_free(modifiers, cluster, treatment, outcome)
    more = [name for name in (*others, *modifiers, *([cluster] if cluster else [])) if name not in used]
    rows, notes = _complete(table, [*used, *more], drop_missing)
    y = _numbers(table, outcome, rows, "outcome")
    _require_varied(table, outcome, y, "outcome")
    t, kind, names = _treatment(table, treatment, rows, control, arms)
    x, x_names = encode(table, covariates, rows)
    x, x_names, dropped = _independent(x, x_names)
    if x.shape[1] + 2 >= len(rows):
        raise ValueError(
            f"{table.name}: {len(rows)} rows cannot adjust for {x.shape[1]} columns; name fewer, or find more rows"
        )
    m, m_names = encode(table, modifiers, rows)
    clusters = None if cluster is None else _clusters(table, cluster, rows)
    z = None if instrument is None else _binary_or_number(table, instrument, rows)
    return Study(y, t, kind, names, x, x_names, z, m, m_names, clusters, rows, (*notes, *dropped))


def _distinct(treatment: str, outcome: str, instrument: str | None, covariates: Sequence[str]) -> list[str]:
    roles = {treatment: "the treatment"}
    rest = [(outcome, "the outcome"), *([(instrument, "the instrument")] if instrument else [])]
    for name, role in [*rest, *((name, "a column to adjust for") for name in covariates)]:
        if roles.get(name) == role:
            raise ValueError(f"{name!r} is named twice as {role}; name it once")
        if name in roles:
            raise ValueError(f"{name!r} is {roles[name]}, and named as {role} too; name another column")
        roles[name] = role
    return list(roles)


def _require_free(modifiers: Sequence[str], cluster: str | None, treatment: str, outcome: str) -> None:
    """Effects may differ by what is adjusted for, and rows may hang together by it; not by treatment or outcome."""
    for role, names in (("modifier", modifiers), ("cluster", [cluster])):
        for name, taken in ((treatment, "treatment"), (outcome, "outcome")):
            if name in names:
                raise ValueError(f"{name!r} is the {taken}, and named as a {role} too; name another column")


def _complete(table: Table, names: Iterable[str], drop: bool) -> tuple[np.ndarray, list[str]]:
    """Return the rows without missing values, and what was left out."""
    missing = {name: _missing(table, name) for name in names}
    counts = {name: int(gaps.sum()) for name, gaps in missing.items() if gaps.any()}
    if not counts:
        return np.arange(len(table)), []
    told = ", ".join(f"{name} {count}" for name, count in counts.items())
    if not drop:
        raise ValueError(
            f"{table.name}: values are missing in {told} of {len(table)} rows; fill them in, or leave those rows out "
            "(--drop-missing, drop_missing=True), which is fair only where what is missing does not depend on what it "
            "would have been"
        )
    rows = np.flatnonzero(~np.any(list(missing.values()), axis=0))
    if not len(rows):
        raise ValueError(f"{table.name}: no row is complete; values are missing in {told}")
    return rows, [f"{len(table) - len(rows)} of {len(table)} rows were left out; values are missing in {told}."]


def _missing(table: Table, name: str) -> np.ndarray:
    column = table[name]
    if column.kind == "text":
        return np.array([value is None for value in column.values])
    if column.kind == "number" and column.stray:
        table.require_kind(name, "number")
    return column.values != column.values


def _numbers(table: Table, name: str, rows: np.ndarray, role: str) -> np.ndarray:
    column = table[name]
    if column.kind != "number":
        raise ValueError(
            f"{table.name}: the {role} {name!r} is {column.kind}, such as {str(column.values[rows[0]])!r}; "
            "expected numbers (write yes and no as 1 and 0)"
        )
    return _measured(table, name, rows)


def _measured(table: Table, name: str, rows: np.ndarray) -> np.ndarray:
    """Return finite numbers whose squares are finite too."""
    values = table.numbers(name, rows)
    if (most := np.abs(values).max()) > LARGEST:
        raise ValueError(
            f"{table.name}: column {name!r} reaches {most:.3g}; expected {LARGEST:g} at most: take a larger unit"
        )
    return values


def _require_varied(table: Table, name: str, values: np.ndarray, role: str) -> None:
    if np.all(values == values[0]):
        raise ValueError(f"{table.name}: the {role} {name!r} is {values[0]:g} in every row; nothing is learnt of it")


def _labels(table: Table, name: str, rows: np.ndarray) -> np.ndarray:
    """Return the values of a column as text, numbers without needless decimals."""
    column = table[name]
    if column.kind == "text":
        return column.values[rows].astype(str)
    return np.array([f"{value:g}" if isinstance(value, float) else str(value) for value in column.values[rows]])


def _clusters(table: Table, name: str, rows: np.ndarray) -> np.ndarray:
    """Return the number of each row's cluster."""
    levels, numbers = np.unique(_labels(table, name, rows), return_inverse=True)
    if len(levels) < 2:
        raise ValueError(f"{table.name}: all rows are in one cluster, {name} = {levels[0]}; expected two or more")
    return numbers


def _treatment(
    table: Table, name: str, rows: np.ndarray, control: str | None, arms: bool
) -> tuple[np.ndarray, Kind, tuple[str, ...]]:
    """Return arms as numbers, or a dose."""
    column = table[name]
    if column.kind == "time":
        raise ValueError(f"{table.name}: the treatment {name!r} is a time; expected arms or a dose")
    values = _numbers(table, name, rows, "treatment") if column.kind == "number" else column.values[rows].astype(str)
    levels = np.unique(values)
    names = [f"{level:g}" if column.kind == "number" else str(level) for level in levels]
    if len(levels) == 1:
        raise ValueError(f"{table.name}: the treatment {name!r} is {names[0]} in every row; nobody can be compared")
    if column.kind == "number" and len(levels) > 2 and not arms:
        if control is not None:
            raise ValueError(f"the treatment {name!r} is a dose, which has no control; make its values arms (--arms)")
        return values, "dose", ()
    if len(levels) > MOST_ARMS:
        raise ValueError(f"{table.name}: the treatment {name!r} has {len(levels)} arms; expected {MOST_ARMS} at most")
    first = _control(name, names, control)
    order = [first, *(i for i in range(len(levels)) if i != first)]
    codes = np.argsort(order)[np.searchsorted(levels, values)]
    _require_arms(table, name, codes, [names[i] for i in order])
    return codes.astype(float), "binary" if len(levels) == 2 else "arms", tuple(names[i] for i in order)


def _control(name: str, arms: list[str], control: str | None) -> int:
    if control is None:
        return 0
    if control not in arms:
        raise ValueError(f"the treatment {name!r} is never {control!r}; choose a control among {', '.join(arms)}")
    return arms.index(control)


def _require_arms(table: Table, name: str, codes: np.ndarray, arms: list[str]) -> None:
    counts = np.bincount(codes, minlength=len(arms))
    if counts.min() < SMALLEST_ARM:
        few = int(np.argmin(counts))
        raise ValueError(
            f"{table.name}: only {counts[few]} rows have {name} = {arms[few]}; expected {SMALLEST_ARM} or more in each "
            "arm; leave that arm out, or find more rows"
        )


def _binary_or_number(table: Table, name: str, rows: np.ndarray) -> np.ndarray:
    """Return an instrument: numbers, or text of two values as 0 and 1."""
    column = table[name]
    if column.kind == "text":
        levels, codes = np.unique(column.values[rows].astype(str), return_inverse=True)
        if len(levels) != 2:
            raise ValueError(f"{table.name}: the instrument {name!r} is text of {len(levels)} values; expected two")
        return codes.astype(float)
    values = _numbers(table, name, rows, "instrument")
    _require_varied(table, name, values, "instrument")
    return values


def encode(table: Table, names: Sequence[str], rows: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return numbers as they are, and text as one column of 0 and 1 for each level but the first."""
    columns: list[np.ndarray] = []
    told: list[str] = []
    for name in names:
        column = table[name]
        if column.kind == "time":
            raise ValueError(f"{table.name}: column {name!r} is a time; expected numbers, such as days since a date")
        if column.kind == "number":
            columns, told = [*columns, _measured(table, name, rows)], [*told, name]
            continue
        values = column.values[rows].astype(str)
        levels = np.unique(values)
        if len(levels) > MOST_LEVELS:
            raise ValueError(
                f"{table.name}: column {name!r} is text of {len(levels)} values, such as {str(levels[0])!r}; expected "
                f"{MOST_LEVELS} at most: group them, or leave it out if it only names the units"
            )
        columns += [(values == level).astype(float) for level in levels[1:]]
        told += [f"{name}={level}" for level in levels[1:]]
    return np.stack(columns, axis=1) if columns else np.zeros((len(rows), 0)), tuple(told)


def _independent(x: np.ndarray, names: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...], list[str]]:
    """Return the columns that are no combination of those before them, and a sentence on each of the others."""
    kept: list[int] = []
    notes: list[str] = []
    basis = np.ones((len(x), 1)) / np.sqrt(len(x))
    for j, name in enumerate(names):
        centred = x[:, j] - x[:, j].mean()
        left = centred - basis @ (basis.T @ centred)
        left -= basis @ (basis.T @ left)
        size, whole = np.linalg.norm(left), np.linalg.norm(centred)
        if size > ALIKE * whole:
            kept.append(j)
            basis = np.column_stack([basis, left / size])
        elif whole <= ALIKE * max(1.0, np.linalg.norm(x[:, j])):
            notes.append(f"{name} is the same in every row and was left out.")
        else:
            twin = next((names[i] for i in kept if _alike(x[:, i], x[:, j])), None)
            told = f"says what {twin} says" if twin else f"follows from {', '.join(names[i] for i in kept)}"
            notes.append(f"{name} {told} and was left out.")
    return x[:, kept], tuple(names[j] for j in kept), notes


def _alike(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(abs(np.corrcoef(a, b)[0, 1]) > 1 - ALIKE)
