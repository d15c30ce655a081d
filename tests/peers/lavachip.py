"""Networks as in refnet.py on the real fixed-point models of lava-nc 0.10.0, with and without its runtime.

`run_net` steps Lava's own ProcessModel classes in this process. Processes are constructed by Lava, their Vars as Lava's
PyProcessBuilder.build does, and ports are replaced by `Port`, which does what Lava's do: an OutPort casts to the type
that the model declares for it, an InPort adds what arrives to zeros of its own type.
`run_in_runtime` lets Lava compile and run the same Processes.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings

import numpy as np
from lava.magma.core.process.process import ProcessServer
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.conv.models import PyConvModelFixed
from lava.proc.conv.process import Conv
from lava.proc.dense.models import PyDelayDenseModelBitAcc, PyDenseModelBitAcc
from lava.proc.dense.process import DelayDense, Dense
from lava.proc.graded.models import PyGradedReluVecModelFixed, PyGradedVecModelFixed
from lava.proc.graded.process import GradedReluVec, GradedVec
from lava.proc.io.sink import RingBuffer as Sink
from lava.proc.io.source import PySendModelFixed
from lava.proc.io.source import RingBuffer as Source
from lava.proc.lif.models import PyLifModelBitAcc, PyLifResetModelBitAcc, PyTernLifModelFixed
from lava.proc.lif.process import LIF, LIFReset, TernaryLIF
from lava.proc.sparse.models import PyDelaySparseModelBitAcc, PySparseModelBitAcc
from lava.proc.sparse.process import DelaySparse, Sparse
from lava.utils.weightutils import SignMode
from scipy.sparse import SparseEfficiencyWarning, csr_matrix

MODELS = {
    Source: PySendModelFixed,
    LIF: PyLifModelBitAcc,
    TernaryLIF: PyTernLifModelFixed,
    LIFReset: PyLifResetModelBitAcc,
    GradedVec: PyGradedVecModelFixed,
    GradedReluVec: PyGradedReluVecModelFixed,
    Dense: PyDenseModelBitAcc,
    DelayDense: PyDelayDenseModelBitAcc,
    Sparse: PySparseModelBitAcc,
    DelaySparse: PyDelaySparseModelBitAcc,
    Conv: PyConvModelFixed,
}
NEURONS = {"loihi-lif": LIF, "ternary-lif": TernaryLIF, "reset-lif": LIFReset}
RENAMED = {"interval": "reset_interval", "offset": "reset_offset"}
ARITHMETIC = {
    "v_bits": 24,
    "u_bits": 24,
    "overflow_v": "saturate",
    "overflow_u": "wrap",
    "rounding": "toward-zero",
    "decay": "stepped",
}


def neurons(spec: dict):
    """Return the Lava Process of a population."""
    if spec["kind"] == "graded":
        return (GradedReluVec if spec["relu"] else GradedVec)(shape=(spec["size"],), vth=spec["vth"])
    if spec["kind"] not in NEURONS:
        raise ValueError(f"Lava has no fixed-point model of {spec['kind']}")
    numbers = {RENAMED.get(key, key): value for key, value in spec.items() if key not in ("kind", "size")}
    return NEURONS[spec["kind"]](shape=(spec["size"],), **numbers)


def matrices(spec: dict, shape: tuple[int, int]) -> tuple[csr_matrix, csr_matrix]:
    """Return raw weights and delays [post, pre]; weights 0 are stored, delays 0 are not, as Lava expects."""
    pre, post, weight, delay = (np.array(column, dtype=int) for column in zip(*spec["synapses"], strict=True))
    some = delay > 0
    return (
        csr_matrix((weight, (post, pre)), shape=shape, dtype=int),
        csr_matrix((delay[some], (post[some], pre[some])), shape=shape, dtype=int),
    )


def connection(spec: dict, shape: tuple[int, int]):
    """Return the Lava Process of a projection, made from raw weights; shape is (post, pre)."""
    if spec["kind"] == "conv":
        geometry = {name: tuple(spec[name]) for name in ("stride", "padding", "dilation")}
        kernel = np.array(spec["kernel"])
        places = {"input_shape": tuple(spec["in_shape"]), "groups": spec["groups"], **geometry}
        return Conv(weight=kernel, num_message_bits=spec["message_bits"], **places)
    numbers = {
        "weight_exp": spec["exponent"],
        "num_weight_bits": spec["weight_bits"],
        "num_message_bits": spec["message_bits"],
        "sign_mode": SignMode[spec["sign"].upper()] if spec["sign"] else None,
    }
    if spec["kind"] == "sparse":
        weights, delays = matrices(spec, shape)
        if spec["delayed"]:
            return DelaySparse(weights=weights, delays=delays, **numbers)
        return Sparse(weights=weights, **numbers)
    weights = np.array(spec["weights"]).T
    if spec["delays"] is None:
        return Dense(weights=weights, **numbers)
    return DelayDense(weights=weights, delays=np.array(spec["delays"]).T, **numbers)


def processes(net: dict) -> tuple[list, list]:
    """Return the Lava Processes of populations and projections, not connected; Lava's log handlers are taken away."""
    if any(net["arithmetic"][name] != value for name, value in ARITHMETIC.items()):
        raise ValueError("Lava has one arithmetic only")
    handlers, sizes = list(logging.getLogger().handlers), [spec["size"] for spec in net["populations"]]
    populations = [Source(data=np.array(net["inputs"]).T)] + [neurons(spec) for spec in net["populations"][1:]]
    projections = [connection(spec, (sizes[spec["post"]], sizes[spec["pre"]])) for spec in net["projections"]]
    logging.getLogger().handlers[:] = handlers
    return populations, projections


class Port:
    """A port of a model without a channel: `given` is what recv adds up, `sent` what send passed on."""

    def __init__(self, shape: tuple[int, ...], kind: type):
        self.shape, self.kind, self.given, self.sent = shape, kind, [], None

    def recv(self) -> np.ndarray:
        """Add what arrives to zeros of the declared type, with NumPy's promotion."""
        total = np.zeros(self.shape, self.kind)
        for value in self.given:
            total = total + value.reshape(self.shape)
        return total

    def cast(self, data: np.ndarray) -> np.ndarray:
        """Return what a channel of this port would carry."""
        assert data.shape == self.shape
        carried = np.zeros(self.shape, self.kind)
        carried[:] = data[:]
        return carried

    def send(self, data: np.ndarray) -> None:
        self.sent = self.cast(data)


def built(process):
    """Return the model of a Lava Process: variables as Lava's builder makes them, every port a `Port`."""
    kind = MODELS[type(process)]
    model = kind(process.proc_params)
    for var in process.vars:
        declared = getattr(kind, var.name)
        value = var.init
        if issubclass(declared.cls, np.ndarray):
            value = np.zeros(var.shape, declared.d_type)
            value[:] = var.init
        setattr(model, var.name, value)
    for port in (*process.in_ports, *process.out_ports):
        setattr(model, port.name, Port(port.shape, getattr(kind, port.name).d_type))
    if hasattr(model, "get_delay_wgts_mat"):
        model.get_delay_wgts_mat = remembered(model.get_delay_wgts_mat)
    return model


def remembered(function):
    """Call a function of matrices that never change once only: Lava works them out anew in each step."""
    known = []

    def call(weights, delays, longest):
        if not known:
            known.append((weights, delays, function(weights, delays, longest)))
        assert known[0][0] is weights and known[0][1] is delays
        return known[0][2]

    return call


def buffered(model) -> np.ndarray:
    """Return what a connection sends next."""
    if isinstance(model, PyConvModelFixed):
        return model.a_out.cast(model.a_buf)
    delayed = isinstance(model, PyDelayDenseModelBitAcc | PyDelaySparseModelBitAcc)
    return model.a_out.cast(model.a_buff[:, 0] if delayed else model.a_buff)


def step(t: int, populations: list, projections: list, ends: list[tuple[int, int]]) -> None:
    """Run one step of Lava: neurons take what connections are about to send, then connections take the spikes."""
    coming = [buffered(model) for model in projections]
    for number, model in enumerate(populations):
        model.time_step = t
        if number:
            model.a_in.given = [data for data, (_, post) in zip(coming, ends, strict=True) if post == number]
        model.run_spk()
    for model, data, (pre, _) in zip(projections, coming, ends, strict=True):
        model.time_step = t
        model.s_in.given = [populations[pre].s_out.sent]
        model.run_spk()
        assert model.a_out.sent.dtype == data.dtype and np.array_equal(model.a_out.sent, data)


def empty(net: dict) -> dict[str, list]:
    return {name: [[] for _ in range(net["steps"])] for name in ("spikes", "v", "u")}


def note(found: dict, t: int, spikes: np.ndarray, v, u) -> None:
    """Add one population to the result of step t; a model that lacks a variable has none."""
    for name, value in (("spikes", spikes), ("v", v), ("u", u)):
        found[name][t].append(np.array([] if value is None else value, dtype=np.int64))


def run_net(net: dict) -> dict[str, list]:
    """Return spikes, v and u, each [step][population], of Lava's models without Lava's runtime."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SparseEfficiencyWarning)
        warnings.filterwarnings("ignore", "invalid value encountered in cast")
        populations, projections = ([built(process) for process in some] for some in processes(net))
        ProcessServer().reset_server()
        ends, found = [(spec["pre"], spec["post"]) for spec in net["projections"]], empty(net)
        for t in range(net["steps"]):
            step(t + 1, populations, projections, ends)
            for model in populations:
                note(found, t, model.s_out.sent, getattr(model, "v", None), getattr(model, "u", None))
    return found


def connect(net: dict, populations: list, projections: list) -> list:
    """Connect Lava Processes; return one sink per population."""
    for spec, process in zip(net["projections"], projections, strict=True):
        source, target = populations[spec["pre"]].s_out, populations[spec["post"]].a_in
        if spec["kind"] == "conv":
            source.reshape(process.s_in.shape).connect(process.s_in)
            process.a_out.reshape(target.shape).connect(target)
        else:
            source.connect(process.s_in)
            process.a_out.connect(target)
    sinks = [Sink(shape=process.s_out.shape, buffer=net["steps"]) for process in populations]
    for process, sink in zip(populations, sinks, strict=True):
        process.s_out.connect(sink.a_in)
    return sinks


def run_in_runtime(net: dict) -> dict[str, list]:
    """Return the same as run_net, from Lava's own runtime; it forks one process per Lava Process."""
    populations, projections = processes(net)
    sinks = connect(net, populations, projections)
    config, found, states = Loihi2SimCfg(select_tag="fixed_pt"), empty(net), []
    try:
        for _ in range(net["steps"]):
            populations[0].run(condition=RunSteps(num_steps=1), run_cfg=config)
            names = [[name for name in ("v", "u") if hasattr(process, name)] for process in populations]
            states.append([{n: getattr(p, n).get() for n in some} for p, some in zip(populations, names, strict=True)])
        spikes = [sink.data.get() for sink in sinks]
    finally:
        populations[0].stop()
    for t, state in enumerate(states):
        for sent, values in zip(spikes, state, strict=True):
            note(found, t, sent[..., t], values.get("v"), values.get("u"))
    return found


if __name__ == "__main__":  # a list of networks on stdin, their results in Lava's runtime as the last line of stdout
    results = [run_in_runtime(net) for net in json.load(sys.stdin)]
    print(json.dumps([{name: [[x.tolist() for x in step] for step in r[name]] for name in r} for r in results]))
