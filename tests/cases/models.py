"""Cases of models."""

from symjax.groups import O13, SU, O, O2eR3, S
from symjax.models import (
    EGNN,
    EMLP,
    MLP,
    Affine,
    CausalStack,
    CausalTemporalNetwork,
    DagTransformer,
    DeepSets,
    DLinear,
    Dragonnet,
    EMLPBlock,
    ExchangeableDeepSets,
    GraphNetwork,
    HamiltonianNet,
    NLinear,
    RLinear,
    SetTransformer,
    TARNet,
    Transformer,
)
from symjax.models.atoms import MACE, Allegro, DimeNetPP, Equiformer, EquiformerV2, InvariantEGNN, NequIP, PaiNN, SchNet
from symjax.reps import Scalar, T, V
from tests.cases.inputs import RANDOM, atoms, bodies, chained, members, on, plain, series

TINY_DIMENET = {
    "channels": 4,
    "layers": 1,
    "triplet_channels": 3,
    "basis_channels": 2,
    "output_channels": 4,
    "output_layers": 1,
    "spherical_basis": 3,
    "radial_basis": 2,
    "after": 1,
}
TINY_ALLEGRO = {"scalars": 4, "lmax": 1, "channels": 2, "radial_basis": 3, "hidden": (4,), "readout": 3}
TINY_EQUIFORMER = {
    "irreps": "3x0e+2x1o",
    "head_irreps": "2x0e+1x1o",
    "mid_irreps": "2x0e+1x1o",
    "features": 3,
    "lmax": 1,
    "heads": 2,
    "layers": 1,
    "radial_basis": 4,
    "radial_widths": (4,),
}
TINY_V2 = {
    "channels": 3,
    "lmax": 2,
    "mmax": 1,
    "layers": 1,
    "hidden": 2,
    "heads": 2,
    "alpha": 3,
    "value": 2,
    "perceptron": 3,
    "radial_basis": 4,
    "radial_widths": (4,),
    "edge_channels": 2,
    "cutoff": 5.0,
}
EXACT = {"activation": "product", "norm": "merged"}
CASES = {
    "Affine": lambda: (Affine(), members(4)),
    "Allegro": lambda: (Allegro(2, 3.0, outputs="1x0o + 2x0e + 1x1o", layers=3, **TINY_ALLEGRO), atoms(RANDOM)),
    "Allegro of a chain": lambda: (Allegro(2, 3.0, **TINY_ALLEGRO), chained(RANDOM)),
    "DimeNetPP": lambda: (DimeNetPP(2, 3.0, outputs="2x0e", **TINY_DIMENET), atoms(RANDOM)),
    "EGNN": lambda: (EGNN(width=6, layers=2), bodies(5)),
    "Equiformer": lambda: (Equiformer(2, 3.0, outputs="2x0e + 1x1o", **TINY_EQUIFORMER), atoms(RANDOM, shift=0.2)),
    "Equiformer without reflections": lambda: (
        Equiformer(
            *(2, 3.0),
            reflections=False,
            messages="dot-product",
            **TINY_EQUIFORMER | {"irreps": "2x0e+1x1e", "head_irreps": "1x0e+1x1e", "mid_irreps": "2x0e+1x1e"},
        ),
        atoms(RANDOM),
    ),
    "EquiformerV2": lambda: (
        EquiformerV2(2, 3.0, outputs="1x1o + 2x0e + 1x1o", reflections=True, **EXACT, **TINY_V2),
        atoms(RANDOM),
    ),
    "EquiformerV2 of the paper": lambda: (EquiformerV2(2, 3.0, resolution=10, **TINY_V2), atoms(RANDOM)),
    "EquiformerV2 of many layers": lambda: (
        EquiformerV2(2, 3.0, **EXACT, **(TINY_V2 | {"layers": 6})),
        atoms(RANDOM),
    ),
    "InvariantEGNN": lambda: (
        InvariantEGNN(2, 3.0, outputs="2x0e", channels=4, layers=2, node_attributes=True),
        atoms(RANDOM, shift=0.2),
    ),
    "MACE": lambda: (
        MACE(2, 3.0, outputs="1x0o + 2x0e + 1x1e", channels=3, lmax=2, parity=True, radial_basis=4, radial_widths=(6,)),
        atoms(RANDOM),
    ),
    "PaiNN": lambda: (PaiNN(2, 3.0, outputs="1x1o + 2x0e + 1x1o", channels=4, layers=2, radial_basis=5), atoms(RANDOM)),
    "SchNet": lambda: (
        SchNet(2, 3.0, outputs="2x0e", channels=4, filters=3, radial_basis=5),
        atoms(RANDOM, shift=0.2),
    ),
    "GraphNetwork of gcn": lambda: (GraphNetwork(2, width=3, norm=Affine), plain()),
    "GraphNetwork of graphs": lambda: (
        GraphNetwork(2, "gin", 3, 2, of="graphs", readout="set2set", skip=True),
        plain(),
    ),
    "GraphNetwork of edges": lambda: (GraphNetwork(2, "gat", 4, of="edges", options={"heads": 2}), plain()),
    "GraphNetwork of mpnn": lambda: (GraphNetwork(2, "mpnn", 3), plain(2)),
    "NequIP": lambda: (NequIP(2, 3.0, channels=2, layers=2), atoms(RANDOM, shift=0.2)),
    "SchNet of charges": lambda: (
        SchNet(2, 3.0, channels=4, filters=3, layers=1, radial_basis=5, charges=True),
        atoms(RANDOM, charge=1.0, spin=2.0),
    ),
    "NequIP of charges": lambda: (
        NequIP(2, 3.0, channels=2, layers=1, lmax=1, charges=True),
        atoms(RANDOM, charge=1.0, spin=2.0),
    ),
    "NequIP of both parities": lambda: (
        NequIP(2, 3.0, outputs="1x0e + 1x0o + 1x1e", channels=2, layers=3, lmax=1, parity=True),
        atoms(RANDOM),
    ),
    "NequIP without reflections": lambda: (
        NequIP(
            *(2, 3.0),
            channels=2,
            lmax=1,
            reflections=False,
            hidden_irreps=("3x0e+2x1e", "2x0e+1x1e"),
            self_connection="linear",
            trainable_bessel=True,
            xplor_onset=1.0,
        ),
        atoms(RANDOM),
    ),
    "EMLPBlock": lambda: on((Scalar + 2 * V)(O(3)), EMLPBlock, (2 * Scalar + V + T(2))(O(3))),
    "EMLP of O(3)": lambda: on((Scalar + 2 * V)(O(3)), EMLP, T(2), channels=108, layers=2),
    "EMLP of O(1, 3)": lambda: on((3 * V)(O13()), EMLP, V + Scalar, channels=40, layers=1),
    "EMLP of S(4)": lambda: on((2 * V)(S(4)), EMLP, T(2) + V, channels=30, layers=1),
    "EMLP of SU(2)": lambda: on((2 * V)(SU(2)), EMLP, V + T(1, 1), channels=32, layers=1),
    "CausalStack": lambda: (CausalStack(hidden=4, layers=2, heads=2, width=2), series(8)),
    "CausalTemporalNetwork": lambda: (
        CausalTemporalNetwork(horizon=2, targets=(2, 0), hidden=4, layers=2, heads=2),
        series(8, 3),
    ),
    "DagTransformer": lambda: (
        DagTransformer(((3, 0), (0, 1), (3, 1), (1, 2)), "ancestors", width=4, layers=1, heads=2),
        members(4, 1),
    ),
    "Dragonnet": lambda: (Dragonnet(channels=6, head_channels=4, layers=1, head_layers=1), members(4)),
    "TARNet": lambda: (TARNet(channels=6, head_channels=4, layers=1, head_layers=1), members(4)),
    "DLinear": lambda: (DLinear(3), series(30)),
    "NLinear": lambda: (NLinear(3), series(7, 3)),
    "RLinear": lambda: (RLinear(3), series(7, 3)),
    "MLP": lambda: (MLP(2, channels=8, layers=2), RANDOM),
    "Transformer": lambda: (Transformer(3, heads=2, hidden=5), series(6, 4)),
    "Transformer, last instants": lambda: (Transformer(3, heads=2, hidden=5, queries=2), series(6, 4)),
    "HamiltonianNet": lambda: on((4 * V)(O2eR3()), lambda rep: HamiltonianNet(EMLP(rep, Scalar, 12, 1))),
    "DeepSets": lambda: (DeepSets(2, channels=4, layers=1), members(5)),
    "ExchangeableDeepSets": lambda: (ExchangeableDeepSets(2, channels=4, layers=1), members(5, 3)),
    "SetTransformer": lambda: (SetTransformer(2, channels=4, layers=1, heads=2), members(5)),
}

SMALL = {
    "Allegro": lambda positions: (Allegro(2, 3.0, **TINY_ALLEGRO), atoms(positions)),
    "EGNN": lambda positions: (EGNN(width=4, layers=2), bodies(len(positions), positions)),
    "DimeNetPP": lambda positions: (DimeNetPP(2, 3.0, **TINY_DIMENET), atoms(positions)),
    "Equiformer": lambda positions: (Equiformer(2, 3.0, **TINY_EQUIFORMER), atoms(positions)),
    "EquiformerV2": lambda positions: (EquiformerV2(2, 3.0, **EXACT, **TINY_V2), atoms(positions)),
    "InvariantEGNN": lambda positions: (InvariantEGNN(2, 3.0, channels=4, layers=2), atoms(positions)),
    "MACE": lambda positions: (MACE(2, 3.0, channels=3, lmax=2, radial_basis=4, radial_widths=(6,)), atoms(positions)),
    "PaiNN": lambda positions: (PaiNN(2, 3.0, channels=4, layers=2, radial_basis=5), atoms(positions)),
    "SchNet": lambda positions: (SchNet(2, 3.0, channels=4, filters=3, radial_basis=5), atoms(positions)),
    "NequIP": lambda positions: (NequIP(2, 3.0, channels=2, layers=2), atoms(positions)),
}
