"""Networks with learning projections on lava-nc's own LearningDense, fixed point, stepped without its runtime.

A projection that learns has, beside what refnet.py says, `lava`: {"dw", "dt", "dd", impulses, taus, "t_epoch", "rng_seed"} as
Lava's rule classes take them, and `rule` with "graded" and "factors" (tests/reference/reflava.py).
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS / "reference"), str(TESTS / "peers"), str(TESTS.parent)]

import lavachip
import numpy as np
from lava.magma.core.learning.constants import GradedSpikeCfg
from lava.magma.core.learning.learning_rule import Loihi2FLearningRule, Loihi3FLearningRule
from lava.magma.core.process.process import ProcessServer
from lava.proc.dense.models import PyLearningDenseModelBitApproximate, PyLearningDenseModelFloat
from lava.proc.dense.process import LearningDense
from lava.utils.weightutils import SignMode

lavachip.MODELS[LearningDense] = PyLearningDenseModelBitApproximate
VARIABLES = {"w": "weights", "t": "tag_1", "d": "tag_2"}
TRACES = ("x1", "x2", "y1", "y2", "y3")


def process(spec: dict) -> LearningDense:
    """Return Lava's Process of a learning projection, made from raw weights."""
    rule = (Loihi2FLearningRule if spec["rule"]["factors"] == 2 else Loihi3FLearningRule)(**spec["lava"])
    return LearningDense(
        weights=np.array(spec["weights"]).T,
        weight_exp=spec["exponent"],
        num_weight_bits=spec["weight_bits"],
        num_message_bits=spec["message_bits"],
        sign_mode=SignMode[spec["sign"].upper()],
        learning_rule=rule,
        graded_spike_cfg=GradedSpikeCfg(spec["rule"]["graded"]),
    )


def learns(model) -> bool:
    return isinstance(model, PyLearningDenseModelBitApproximate | PyLearningDenseModelFloat)


def built(net: dict) -> tuple[list, list]:
    """Return the models of populations and projections."""
    plain = [spec for spec in net["projections"] if "rule" not in spec]
    populations, made = lavachip.processes({**net, "projections": plain})
    made = iter(made)
    projections = [process(spec) if "rule" in spec else next(made) for spec in net["projections"]]
    models = [[lavachip.built(one) for one in some] for some in (populations, projections)]
    ProcessServer().reset_server()
    return models[0], models[1]


def run_net(net: dict) -> dict:
    """Return spikes, v, u [step][population] and plastic {projection: [step]{variable: array}}; synapses [pre][post]."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        populations, projections = built(net)
        found = lavachip.empty(net) | {"plastic": {k: [] for k, model in enumerate(projections) if learns(model)}}
        for t in range(net["steps"]):
            step(t, net, populations, projections)
            for model in populations:
                lavachip.note(found, t, model.s_out.sent, getattr(model, "v", None), getattr(model, "u", None))
            for k, kept in found["plastic"].items():
                kept.append(state(projections[k]))
    return found


def run_in_runtime(net: dict) -> dict:
    """Return the same as run_net for what learns, from Lava's own runtime; third factors come from sources."""
    plain = [spec for spec in net["projections"] if "rule" not in spec]
    populations, made = lavachip.processes({**net, "projections": plain})
    made = iter(made)
    projections = [process(spec) if "rule" in spec else next(made) for spec in net["projections"]]
    sinks = lavachip.connect(net, populations, projections)
    learning = {k: projections[k] for k, spec in enumerate(net["projections"]) if "rule" in spec}
    for k, one in learning.items():
        populations[net["projections"][k]["post"]].s_out.connect(one.s_in_bap)
        for trace, rows in net["third"].get(k, {}).items():
            lavachip.Source(data=np.array(rows).T).s_out.connect(getattr(one, f"s_in_{trace}"))
    config, found = lavachip.Loihi2SimCfg(select_tag="fixed_pt"), {k: [] for k in learning}
    try:
        for _ in range(net["steps"]):
            populations[0].run(condition=lavachip.RunSteps(num_steps=1), run_cfg=config)
            for k, one in learning.items():
                kept = {v: getattr(one, theirs).get().T.tolist() for v, theirs in VARIABLES.items()}
                found[k].append(kept | {trace: getattr(one, trace).get().tolist() for trace in TRACES})
        spikes = [sink.data.get() for sink in sinks]
    finally:
        populations[0].stop()
    return {"plastic": found, "spikes": [[sent[..., t].tolist() for sent in spikes] for t in range(net["steps"])]}


def state(model) -> dict[str, np.ndarray]:
    """Return a copy of what a learning connection holds."""
    synapses = {ours: np.array(getattr(model, theirs)).T.copy() for ours, theirs in VARIABLES.items()}
    return synapses | {trace: np.array(getattr(model, trace)).copy() for trace in TRACES}


def step(t: int, net: dict, populations: list, projections: list) -> None:
    """Run one step of Lava (index t): all in the spike phase, then what learns in the learning phase."""
    coming = [lavachip.buffered(model) for model in projections]
    for number, model in enumerate(populations):
        model.time_step = t + 1
        if number:
            sent = zip(coming, net["projections"], strict=True)
            model.a_in.given = [data for data, spec in sent if spec["post"] == number]
        model.run_spk()
    for k, (model, spec) in enumerate(zip(projections, net["projections"], strict=True)):
        model.time_step = t + 1
        model.s_in.given = [populations[spec["pre"]].s_out.sent]
        if learns(model):
            model.s_in_bap.given = [populations[spec["post"]].s_out.sent]
            for trace, rows in net.get("third", {}).get(k, {}).items():
                getattr(model, f"s_in_{trace}").given = [np.array(rows[t], dtype=np.int32)]
        model.run_spk()
    for model in projections:
        if learns(model) and model.lrn_guard():
            model.run_lrn()


def float_model(spec: dict, weights: np.ndarray) -> PyLearningDenseModelFloat:
    """Return Lava's float model of a learning projection with the given weights [pre][post]."""
    lavachip.MODELS[LearningDense] = PyLearningDenseModelFloat
    try:
        model = lavachip.built(process(spec))
    finally:
        lavachip.MODELS[LearningDense] = PyLearningDenseModelBitApproximate
        ProcessServer().reset_server()
    model.weights = np.array(weights, dtype=np.float64).T
    return model


def float_step(model: PyLearningDenseModelFloat, t: int, pre: np.ndarray, post: np.ndarray, third: dict) -> None:
    """Feed index t to a float model."""
    model.time_step = t + 1
    model.s_in.given, model.s_in_bap.given = [pre], [post]
    for trace, row in third.items():
        getattr(model, f"s_in_{trace}").given = [np.array(row, dtype=np.float64)]
    model.run_spk()
    if model.lrn_guard():
        model.run_lrn()


if __name__ == "__main__":  # a list of seeds of drawn networks; their results in Lava's runtime as the last line of stdout
    import learndraws

    print(json.dumps([run_in_runtime(learndraws.network(int(seed))) for seed in sys.argv[1:]]))
