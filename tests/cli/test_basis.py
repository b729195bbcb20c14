"""`symjax basis` reads expressions without running them, solves, says what it found, and draws it."""

import typing

import matplotlib.image
import pytest

from symjax.cli.expression import read_group, read_rep
from symjax.cli.verbs.basis import Basis
from symjax.groups import SO, DirectProduct, O, S
from symjax.reps import Det, Irreps, Scalar, T, V, alternating, pullback, restrict, symmetric
from symjax.solver import Method

from .command import symjax

PAIR = DirectProduct((SO(3), S(5)))


@pytest.fixture
def solve(capsys, tmp_path):
    """Run the command; returns what it printed, name by name, and the pixels of the picture if it drew one."""

    def run(*words):
        picture = tmp_path / "basis.png"
        assert symjax("basis", *words, "--out", picture) == 0
        printed = capsys.readouterr().out.splitlines()
        lines = {line[:11].strip(): line[11:] for line in printed}
        return lines, matplotlib.image.imread(picture) if picture.exists() else None

    return run


def test_tensors_of_rotations(solve):
    lines, pixels = solve("SO(3)", "T(2)", "T(2)")
    assert lines["group"] == "SO(3), 3 tangents, 0 generators"
    assert lines["input"] == "V**2, of size 9"
    assert lines["maps"] == "dimension 3 of 81"
    assert lines["method"] == "isotypic"
    assert float(lines["residual"]) <= 1e-10
    assert [part.split(",")[0] for part in lines["irreps"].split("; ")] == [f"{d}-dimensional" for d in (1, 3, 5)]
    assert lines["picture"].endswith("3 of 3 maps")
    redness = pixels[..., 0] - pixels[..., 2]
    assert redness.min() < -0.3 < 0.3 < redness.max()  # entries of both signs


@pytest.mark.parametrize(
    ("words", "dim", "method"),
    [
        (("S(4)", "T(2)", "T(2)"), 15, "orbits"),
        (("S(4)", "V", "V + 3*Scalar", "--method", "dense"), 5, "dense"),
        (("SO(3)", 'Irreps("1o")', 'Irreps("1e") + V'), 2, "isotypic"),
        (("SO(3) * S(5)", "V(SO(3))*V(S(5))", "V(SO(3))*V(S(5))"), 2, "isotypic"),
        (("GeneratedGroup(lie_algebra=[[[0, 1], [0, 0]]])", "V", "V"), 2, "weights"),
        (("SU(2)", "V", "V.T"), 1, "isotypic"),
    ],
)
def test_dimensions_and_methods(solve, words, dim, method):
    lines, pixels = solve(*words)
    assert lines["maps"].startswith(f"dimension {dim} of ")
    assert lines["method"] == method
    assert pixels is not None


def test_many_maps_are_drawn_in_part(solve):
    assert solve("Trivial(5)", "V", "V")[0]["picture"].endswith("16 of 25 maps")


def test_an_empty_space_says_why_and_what_to_try(capsys, tmp_path):
    assert symjax("basis", "SO(3)", "T(1)", "2*Scalar", "--out", tmp_path / "basis.png") == 0
    printed = capsys.readouterr().out
    assert "dimension 0 of 6" in printed
    assert "irreps in  3-dimensional, multiplicity 1\nirreps out 1-dimensional, multiplicity 2\n" in printed
    assert "zero is the only equivariant map" in printed
    assert "products such as T(2)" in printed
    assert not list(tmp_path.iterdir())


def test_every_method_of_the_solver_can_be_asked_for():
    assert typing.get_args(typing.get_type_hints(Basis)["method"]) == typing.get_args(Method)


@pytest.mark.parametrize(
    ("text", "rep"),
    [
        ("T(2, 1) + 2 * Scalar", (T(2, 1) + 2 * Scalar)(SO(3))),
        ("V.T >> V", (V.T >> V)(SO(3))),
        ("Det * symmetric(V, 2) + alternating(V, 2)", (Det * symmetric(V, 2) + alternating(V, 2))(SO(3))),
        ("V(G) ** 2", V(SO(3)) ** 2),
        ('Irreps("2x1e")', restrict(Irreps("2x1e"), SO(3))),
        ('irreps("2x1", SO(3)) + conjugate(V)', 2 * restrict(Irreps("1e"), SO(3)) + V),
        ("T(2)(O(3))", restrict(T(2)(O(3)), SO(3))),
    ],
)
def test_representations_mean_what_they_mean_in_python(text, rep):
    assert read_rep(text, SO(3)) == rep


def test_representations_of_factors():
    assert read_rep("V(S(5)) * V(SO(3))", PAIR) == pullback(V(S(5)), PAIR) * pullback(V(SO(3)), PAIR)
    assert read_rep("T(2)(S(5))", PAIR) == pullback(T(2)(S(5)), PAIR)
    assert read_rep("quotient(G, PermutationGroup([[1, 0, 2]]))", S(3)).size == 3


def test_groups_mean_what_they_mean_in_python():
    assert read_group(" SO(3) * S(n=5)") == PAIR
    assert read_group("GeneratedGroup(generators=[[2, 0, 1], (1, 0, 2)])") == read_group("S(3)")


@pytest.mark.parametrize(
    ("group", "rep", "words"),
    [
        ("FOO(3)", "V", ["unknown name 'FOO'", "SO13p"]),
        ("__import__('os').system('true')", "V", ["cannot read"]),
        ("(lambda: SO(3))()", "V", ["cannot read"]),
        ("SO(3", "V", ["cannot read the group 'SO(3'"]),
        ("S", "V", ["such as SO(3)", "got 'S'"]),
        ("SE(3)", "V", ["homogeneous coordinates"]),
        ("SO()", "V", ["cannot make SO()", "'n'"]),
        ("SO('a')", "V", ["cannot make SO('a')"]),
        ("SO(1000)", "V", ["at most 64 rows"]),
        ("S(9**9**9)", "V", ["9**9"]),
        ("GeneratedGroup(generators=[[[1, 1], [1, 1]]])", "V", ["invertible"]),
        ("V", "V", ["unknown name 'V'"]),
        ("finite_elements([[0]], 1)", "V", ["unknown name 'finite_elements'"]),
        ("*" * 2000, "V", ["1000 characters"]),
        ("SO(3)", "W", ["unknown name 'W'"]),
        ("SO(3)", "V.group", ["cannot read 'V.group'"]),
        ("SO(3)", "V(S(5))", ["no subgroup of S(5)"]),
        ("SO(3)", "SO(3)", ["expected a representation"]),
        ("SO(3)", "V(3)", ["cannot make V(3)"]),
        ("SO(3)", "V ** -1", ["at least 0"]),
        ("SO(3)", "(V**30)**30", ["at most 32 factors"]),
        ("SO(3)", "T(30)", ["entries", "smaller tensors"]),
        ("SO(3)", "symmetric(V, 120)", ["take tensors of lower rank"]),
        ("SO(3)", 'Irreps("x")', ["cannot make Irreps"]),
        ("regular(S(3))", "V", ["unknown name 'regular'"]),
        ("SO(3)", "regular(G)", ["expected a finite group"]),
    ],
)
def test_bad_expressions(refuses, tmp_path, group, rep, words):
    refuses(["basis", group, rep, "V", "--out", tmp_path / "basis.png"], *words)


def test_nothing_is_executed(refuses, tmp_path):
    trap = tmp_path / "trap"
    refuses(
        ["basis", "SO(3)", f"open({str(trap)!r}, 'w')", "V", "--out", tmp_path / "basis.png"], "unknown name 'open'"
    )
    assert not trap.exists()


def test_bad_pictures_and_methods(refuses, tmp_path):
    refuses(["basis", "SO(3)", "V", "V", "--out", tmp_path / "basis.doc"], ".png")
    refuses(["basis", "SO(3)", "V", "V", "--out", tmp_path / "no" / "basis.png"], "a folder that exists")
    refuses(["basis", "SO(3)", "V", "V", "--method", "orbits", "--out", tmp_path / "basis.png"], "no basis")
