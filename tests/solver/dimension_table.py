"""Groups and pairs of tensor representations to solve, each with the dimension that theory gives."""

import re
from typing import NamedTuple

from tests.solver.theory import dim_maps


class Row(NamedTuple):
    """The equivariant maps T(*rep_in) -> T(*rep_out) of a group."""

    group: str
    rep_in: tuple[int, int]
    rep_out: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.group} T{self.rep_in} -> T{self.rep_out}"

    @property
    def size(self) -> int:
        """The number of entries of one map."""
        return degree(self.group) ** sum(self.rep_in + self.rep_out)

    @property
    def dim(self) -> int:
        return dim_maps(*self)


def degree(group: str) -> int:
    """Return the dimension of V."""
    name, *numbers = re.findall(r"[A-Za-z]\w*|\d+", group)
    fixed = {
        "SO13p": 4,
        "SO13": 4,
        "O13": 4,
        "SO11p": 2,
        "SO11": 2,
        "O11": 2,
        "Cube": 6,
        "RubiksCube": 48,
        "C": 2,
        "D": 2,
    }
    fixed |= {"Parity": 4, "TimeReversal": 4, "SO2eR3": 3, "O2eR3": 3, "DkeR3": 3}
    if name in fixed:
        return fixed[name]
    if name == "ZksZnxZn":
        k, n = map(int, numbers)
        return k * n * n
    return int(numbers[0]) * (2 if name == "Sp" else 1)


def rows(table: dict[str, str]) -> list[Row]:
    """Read lines like `"SU(3)": "T(2)->T(0,1) T(1)->T(1)"`."""
    pairs = [(group, pair.split("->")) for group, cell in table.items() for pair in cell.split()]
    return [Row(group, tensor(rep_in), tensor(rep_out)) for group, (rep_in, rep_out) in pairs]


def tensor(text: str) -> tuple[int, int]:
    p, q = (*map(int, re.findall(r"\d+", text)), 0)[:2]
    return p, q


ROWS = rows(
    {
        "SO(3)": "T(1)->T(2) T(2)->T(2) T(3)->T(2) T(3)->T(3) T(2)->T(4) T(4)->T(3) T(4)->T(4)",
        "O(3)": "T(1)->T(2) T(2)->T(2) T(3)->T(3) T(2)->T(4)",
        "SO(2)": "T(1)->T(1) T(2)->T(2) T(3)->T(3)",
        "O(2)": "T(2)->T(2)",
        "SO(4)": "T(2)->T(2) T(3)->T(3)",
        "O(4)": "T(3)->T(3)",
        "SO(5)": "T(2)->T(2) T(2)->T(3)",
        "O(5)": "T(2)->T(3)",
        "SO13p()": "T(1)->T(2,1) T(2)->T(2)",
        "SO13()": "T(3)->T(3)",
        "O13()": "T(1)->T(2,1) T(3)->T(3)",
        "SU(3)": "T(1)->T(1) T(1,1)->T(1,1) T(2)->T(0,1) T(2,1)->T(2,1) T(3)->T(0) T(3)->T(0,3)",
        "SU(2)": "T(2)->T(2) T(3)->T(3)",
        "U(2)": "T(2)->T(2) T(1)->T(0,1)",
        "U(3)": "T(2,1)->T(2,1)",
        "Sp(1)": "T(2)->T(2)",
        "Sp(2)": "T(2)->T(2) T(3)->T(3) T(1,1)->T(1,1)",
        "Sp(3)": "T(2)->T(2)",
        "SL(2)": "T(2)->T(2)",
        "SL(3)": "T(2)->T(0,1) T(2)->T(2) T(3)->T(3)",
        "C(3)": "T(2)->T(2)",
        "C(4)": "T(2)->T(2)",
        "C(8)": "T(2)->T(2)",
        "D(3)": "T(2)->T(2)",
        "D(4)": "T(2)->T(2) T(3)->T(3)",
        "D(8)": "T(2)->T(2)",
        "S(4)": "T(1)->T(1) T(2)->T(2) T(3)->T(2)",
        "S(6)": "T(1)->T(1) T(2)->T(2) T(3)->T(2)",
        "S(8)": "T(1)->T(1) T(2)->T(2) T(3)->T(2)",
        "S(10)": "T(1)->T(1) T(2)->T(2) T(3)->T(2) T(2)->T(4)",
        "Alt(4)": "T(2)->T(2)",
        "Alt(5)": "T(2)->T(2)",
        "Z(6)": "T(1)->T(1) T(2)->T(2)",
        "Z(64)": "T(1)->T(1)",
        "Cube()": "T(1)->T(1) T(1)->T(2) T(2)->T(2) T(3)->T(3)",
    }
)

OTHER_GROUPS = rows(
    {
        "Trivial(2)": "T(1)->T(2)",
        "Scaling(2)": "T(1)->T(1) T(1)->T(2) T(2,1)->T(2,1)",
        "GL(2)": "T(2)->T(2) T(1)->T(2)",
        "GL(3)": "T(2,1)->T(2,1)",
        "SU(4)": "T(2)->T(0,2)",
        "Parity()": "T(1)->T(1) T(1)->T(2)",
        "TimeReversal()": "T(1)->T(1) T(1)->T(2)",
        "SO11p()": "T(1)->T(1) T(2)->T(2)",
        "SO11()": "T(1)->T(1) T(2)->T(2)",
        "O11()": "T(1)->T(1) T(2)->T(2)",
        "SO2eR3()": "T(1)->T(1) T(2)->T(2)",
        "O2eR3()": "T(1)->T(1) T(2)->T(2)",
        "DkeR3(3)": "T(1)->T(1) T(2)->T(1)",
        "ZksZnxZn(2,2)": "T(1)->T(1)",
        "ZksZnxZn(4,4)": "T(1)->T(1)",
        "RubiksCube()": "T(0)->T(1) T(1)->T(1)",
    }
)

SMALLEST_GROUPS = rows(
    {
        "O(1)": "T(1)->T(1) T(1)->T(2)",
        "SO(1)": "T(1)->T(2)",
        "SU(1)": "T(1)->T(2)",
        "U(1)": "T(1)->T(1) T(1)->T(0,1)",
        "SL(1)": "T(1)->T(2)",
        "S(1)": "T(1)->T(2)",
        "S(2)": "T(2)->T(2)",
        "Alt(2)": "T(2)->T(2)",
        "Alt(3)": "T(2)->T(1)",
        "Z(1)": "T(1)->T(2)",
        "C(1)": "T(1)->T(2)",
        "C(2)": "T(1)->T(1) T(1)->T(2)",
        "D(1)": "T(1)->T(1) T(1)->T(2)",
        "D(2)": "T(2)->T(2)",
        "Trivial(1)": "T(2)->T(1)",
    }
)

LARGE = rows(
    {
        "SO(3)": "T(5)->T(5) T(6)->T(6)",
        "O13()": "T(4)->T(4)",
        "SO13p()": "T(4)->T(4)",
        "SU(3)": "T(2,2)->T(2,2) T(3,2)->T(3,2)",
        "Sp(3)": "T(3)->T(3)",
        "SO(5)": "T(4)->T(4)",
        "S(6)": "T(3)->T(3)",
        "S(30)": "T(2)->T(2)",
        "Z(1024)": "T(1)->T(1)",
        "Alt(100)": "T(1)->T(1)",
        "RubiksCube()": "T(1)->T(2) T(2)->T(2)",
    }
)
