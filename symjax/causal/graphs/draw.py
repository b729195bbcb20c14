"""Pictures of graphs of causes: hidden causes dashed, what is adjusted for coloured; matplotlib alone."""

import itertools
import pathlib
import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from symjax.causal.graphs.admg import ADMG
from symjax.causal.graphs.layout import Layout, Line, lay_out

FONT = 11.0  # points
LINE, PAD, GAP = 0.19, 0.15, 0.34  # inches: a line of text, around it, between nodes
MARGIN, LEGEND = 0.3, 0.4
TILT, BULGE = 0.07, 0.42  # inches: what a line may rise in a layer, how far it leaves one
INK, FAINT, CAUSAL = "#3d4451", "#8a93a3", "#1f5fa8"
KINDS = {  # name: fill, outline
    "treatment": ("#cfe1f7", CAUSAL),
    "outcome": ("#ffe0b5", "#b8690b"),
    "adjusted for": ("#cfeccd", "#2e7d32"),
    "hidden": ("#ffffff", FAINT),
    "": ("#f4f5f7", INK),
}


Point = tuple[float, float]


class Box(NamedTuple):
    """A node of the picture, in inches: its middle, its size and its text."""

    x: float
    y: float
    width: float
    height: float
    text: str


def draw_graph(
    path: str | pathlib.Path,
    graph: ADMG,
    *,
    hidden: Iterable[str] = (),
    adjustment: Iterable[str] = (),
    treatment: Iterable[str] = (),
    outcome: Iterable[str] = (),
) -> None:
    """Draw a graph into a picture: causes left of their effects, the paths from treatment to outcome in blue.

    Two-headed arrows and hidden nodes are dashed. Names of nodes may be one string each or several.

    Raises:
        ValueError: for a name that is no node of the graph.
        OSError: where the picture cannot be written.
    """
    from matplotlib.figure import Figure

    marks = {"treatment": treatment, "outcome": outcome, "hidden": hidden, "adjusted for": adjustment}
    chosen = {kind: graph.subgraph(names).nodes for kind, names in marks.items()}
    kinds = {v: kind for kind, names in reversed(chosen.items()) for v in names}
    causal = graph.descendants(*chosen["treatment"]) & graph.ancestors(*chosen["outcome"])
    texts = {v: "\n".join(textwrap.wrap(v, 18, break_long_words=False) or [v]) for v in graph.nodes}
    heights = {v: LINE * (1 + text.count("\n")) + 2 * PAD for v, text in texts.items()}
    layout = lay_out(graph, heights, GAP)
    boxes, spans = _boxes(layout, texts, heights)
    routes = _routes(layout, boxes, spans)
    shown = [kind for kind in KINDS if kind in kinds.values()]
    (left, low), (right, high) = _extent(boxes.values(), routes.values())
    figure = Figure((right - left, high - low + LEGEND * bool(shown)))
    axis = figure.add_axes((0, 0, 1, 1), xlim=(left, right), ylim=(low - LEGEND * bool(shown), high))
    axis.set_axis_off()
    for edge, points in routes.items():
        double = edge[1] == "<->"
        faint = double or kinds.get(edge[0]) == "hidden"
        _line(axis, points, double, faint, not double and causal.issuperset((edge[0], edge[2])))
    for v, box in boxes.items():
        _node(axis, box, kinds.get(v, ""))
    _legend(axis, shown, (left + right) / 2, low - LEGEND / 3)
    try:
        figure.savefig(path, dpi=200)
    except OSError as error:
        raise OSError(error.errno, f"{path} could not be written: {error.strerror}") from error


def _extent(boxes: Iterable[Box], routes: Iterable[Sequence[Point]]) -> tuple[Point, Point]:
    """Return the lower left and the upper right corner of all, with a margin."""
    corners = [(b.x + s * b.width / 2, b.y + s * b.height / 2) for b in boxes for s in (-1, 1)]
    xs, ys = zip(*corners, *itertools.chain(*routes), strict=True)
    return (min(xs) - MARGIN, min(ys) - MARGIN), (max(xs) + MARGIN, max(ys) + MARGIN)


def _width(text: str) -> float:
    """Return the inches that the widest line of a text takes."""
    from matplotlib.textpath import TextPath

    return max(TextPath((0, 0), _plain(line) or " ", size=FONT).get_extents().width for line in text.split("\n")) / 72


def _plain(text: str) -> str:
    return text.replace("$", r"\$")


def _boxes(
    layout: Layout, texts: Mapping[str, str], heights: Mapping[str, float]
) -> tuple[dict[str, Box], list[tuple[float, float]]]:
    """Return the boxes of nodes and where each layer begins and ends; more lines between two layers, more room."""
    boxes: dict[str, Box] = {}
    spans, at = [], 0.0
    for layer in layout.layers:
        widths = {v: max(0.55, _width(texts[v]) + 2 * PAD) for v in layer if isinstance(v, str)}
        width = max(widths.values(), default=0.0)
        for v, own in widths.items():
            boxes[v] = Box(at + width / 2, layout.heights[v], own, heights[v], texts[v])
        spans.append((at, at + width))
        at += width + min(1.6, 0.7 + 0.03 * len(layer))
    return boxes, spans


def _routes(layout: Layout, boxes: Mapping[str, Box], spans: Sequence[tuple[float, float]]) -> dict[Line, list[Point]]:
    """Return the Bezier points of each edge; its ends are spread over the sides of the boxes by where the edges go."""
    height = {item: layout.heights[item] for layer in layout.layers for item in layer}
    sides: dict[tuple[str, bool], list] = {}
    beside = {edge: boxes[edge[0]].x == boxes[edge[2]].x for edge in layout.bends}
    for edge, bends in layout.bends.items():
        chain = (edge[0], *bends, edge[2])
        sides.setdefault((edge[0], not beside[edge]), []).append((height[chain[1]], edge))
        sides.setdefault((edge[2], False), []).append((height[chain[-2]], edge))
    ports = {(v, e): point for (v, right), edges in sides.items() for e, point in _ports(boxes[v], right, edges)}
    routes = {}
    for edge, bends in layout.bends.items():
        start, end = ports[edge[0], edge], ports[edge[2], edge]
        if beside[edge]:
            left = min(start[0], end[0]) - BULGE
            routes[edge] = [start, (left, start[1]), (left, end[1]), end]
        else:
            routes[edge] = _curve(start, [(*spans[bend.layer], height[bend]) for bend in bends], end)
    return routes


def _ports(box: Box, right: bool, edges: list) -> Iterable[tuple[Line, Point]]:
    step = 0.6 * box.height / max(len(edges) - 1, 3)
    first = box.y - step * (len(edges) - 1) / 2
    side = box.x + box.width / 2 * (1 if right else -1)
    return [(edge, (side, first + step * k)) for k, (_, edge) in enumerate(sorted(edges))]


def _curve(start: Point, bends: Sequence[tuple[float, float, float]], end: Point) -> list[Point]:
    """Return a smooth curve that starts and ends level and passes each layer (from x, to x, at height) almost so."""
    middles = [start, *(((x + to) / 2, y) for x, to, y in bends), end]
    rises = [(q[1] - p[1]) / (q[0] - p[0]) for p, q in itertools.pairwise(middles)]
    knots = [(*start, 0.0)]
    for (x, to, y), before, after in zip(bends, rises, rises[1:], strict=False):
        slope = 2 * before * after / (before + after) if before * after > 0 else 0.0  # no turn that was not there
        lift = max(-TILT, min(TILT, slope * (to - x) / 2))
        knots += [(x, y - lift, 2 * lift / (to - x)), (to, y + lift, 2 * lift / (to - x))]
    knots.append((*end, 0.0))
    points = [start]
    for (x, y, slope), (to, to_y, to_slope) in itertools.pairwise(knots):
        part = (to - x) * 0.42
        points += [(x + part, y + part * slope), (to - part, to_y - part * to_slope), (to, to_y)]
    return points


def _line(axis: Any, points: Sequence[Point], double: bool, faint: bool, causal: bool) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    axis.add_patch(
        FancyArrowPatch(
            path=Path(points, [Path.MOVETO] + [Path.CURVE4] * (len(points) - 1)),
            arrowstyle="<|-|>" if double else "-|>",
            mutation_scale=11,
            linewidth=2.0 if causal else 1.1,
            linestyle=(0, (4, 2.5)) if faint else "-",
            color=CAUSAL if causal else FAINT if faint else INK,
            zorder=2 if causal else 1,
        )
    )


def _node(axis: Any, box: Box, kind: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    fill, outline = KINDS[kind]
    axis.add_patch(
        FancyBboxPatch(
            (box.x - box.width / 2, box.y - box.height / 2),
            box.width,
            box.height,
            boxstyle="round,pad=0,rounding_size=0.12",
            facecolor=fill,
            edgecolor=outline,
            linewidth=1.4,
            linestyle=(0, (3, 2)) if kind == "hidden" else "-",
            zorder=3,
        )
    )
    ink = FAINT if kind == "hidden" else INK
    axis.text(box.x, box.y, _plain(box.text), ha="center", va="center_baseline", fontsize=FONT, color=ink, zorder=4)


def _legend(axis: Any, shown: Collection[str], x: float, y: float) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(facecolor=KINDS[k][0], edgecolor=KINDS[k][1], linestyle="--" if k == "hidden" else "-", label=k)
        for k in shown
    ]
    if handles:
        axis.legend(
            handles=handles,
            loc="center",
            bbox_to_anchor=(x, y),
            bbox_transform=axis.transData,
            ncols=len(handles),
            frameon=False,
            fontsize=FONT - 2,
            labelcolor=INK,
            handlelength=1.2,
            handleheight=0.9,
        )
