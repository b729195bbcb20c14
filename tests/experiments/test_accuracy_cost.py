import dataclasses

import jax.numpy as jnp
import numpy as np

from experiments import accuracy_cost
from experiments.accuracy_cost import PRESETS, Cost, Point
from symjax.data import Rows
from symjax.tasks import Prepared
from symjax.tasks.potential import Options as Question
from symjax.training import Task


def test_every_model_gets_the_steps_of_its_budget():
    assert Cost(milliseconds=10.0, steps=40, parameters=1).epochs(2.0) == 300
    assert Cost(milliseconds=20.0, steps=40, parameters=1).epochs(2.0) == 150
    assert Cost(milliseconds=1e6, steps=40, parameters=1).epochs(2.0) == 1
    assert [accuracy_cost.recipe_of(PRESETS["small"], epochs).evaluate_every for epochs in (1, 10, 95)] == [1, 1, 10]


def test_a_comparison_goes_on_with_the_costs_it_had(tmp_path, monkeypatch, capsys):
    asked, config = {}, dataclasses.replace(PRESETS["tiny"], out=tmp_path)
    costs = {"schnet": Cost(1.0, 2, 700), "egnn": Cost(2.0, 2, 900)}

    def learn(question, recipe, folder):
        asked.setdefault(question.model, []).append((question.data, recipe.epochs))
        errors = {"energy, meV": {"mae": 1.0}, "forces, meV/Å": {"mae": 3.0 * recipe.epochs}}
        folder.mkdir(parents=True, exist_ok=True)
        accuracy_cost.training.write_json(folder / "report.json", {"errors": errors})

    monkeypatch.setattr(accuracy_cost.rmd17, "learn", learn)
    monkeypatch.setattr(accuracy_cost, "measure", lambda question, recipe: costs[question.model])
    found = accuracy_cost.main(config)
    assert found == {"schnet": Point(1.0, 180.0, costs["schnet"]), "egnn": Point(1.0, 90.0, costs["egnn"])}
    assert [row.split() for row in capsys.readouterr().out.splitlines()[2:]] == [
        ["schnet", "1.0", "700", "60", "1.0", "180.0"],
        ["egnn", "2.0", "900", "30", "1.0", "90.0"],
    ]
    assert (tmp_path / "accuracy_cost.png").stat().st_size > 10_000
    monkeypatch.setattr(accuracy_cost, "measure", None)
    assert accuracy_cost.main(config) == found
    assert asked["schnet"][0] == asked["schnet"][1]
    assert asked["schnet"][0][0] == asked["egnn"][0][0]


def test_the_cost_of_a_step_is_measured(monkeypatch):
    rows = Rows({"x": np.ones((8, 3), np.float32)}, batch_size=4)

    def loss(params, batch, key):
        return {"error": (jnp.sum(batch.rows["x"] @ params["w"]) ** 2, jnp.float32(4))}

    task = Task(lambda key, batch: {"w": jnp.ones(3, jnp.float32)}, loss, {"error": 1.0}, train=rows)
    monkeypatch.setattr(accuracy_cost.potential, "prepare", lambda *_: Prepared(task, "", None, "test", ""))
    cost = accuracy_cost.measure(Question(), accuracy_cost.recipe_of(PRESETS["tiny"], epochs=1), seconds=0.0)
    assert (cost.steps, cost.parameters) == (2, 3)
    assert 0 < cost.milliseconds < 1000
