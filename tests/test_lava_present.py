"""Where Lava can be installed it is, and it still gives the numbers that our comparison with it rests on."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import numpy as np
import pytest

pytestmark = [pytest.mark.lava, pytest.mark.xdist_group("lava")]

NETWORK = """
import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.dense.process import Dense
from lava.proc.io.sink import RingBuffer as Sink
from lava.proc.io.source import RingBuffer as Source
from lava.proc.lif.process import LIF

spikes = np.array([[1, 1, 0, 0, 1, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0, 0]])
source, sink = Source(data=spikes), Sink(shape=(2,), buffer=8)
dense = Dense(weights=np.array([[20, 10], [-20, 40]]))
lif = LIF(shape=(2,), du=4095, dv=0, vth=25)
source.s_out.connect(dense.s_in)
dense.a_out.connect(lif.a_in)
lif.s_out.connect(sink.a_in)
lif.run(condition=RunSteps(num_steps=8), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
print(sink.data.get().astype(int).tolist())
lif.stop()
"""


class Wire:
    """Stands for the ports of a process model: gives one input per step, keeps what is sent."""

    def __init__(self, values=()):
        self.values, self.sent = iter(values), []

    def recv(self):
        return np.array([next(self.values)], dtype=np.int32)

    def send(self, data):
        self.sent.append(int(data[0]))


def test_version():
    assert version("lava-nc") == "0.10.0"


def test_lif_keeps_its_check_values():
    """The real fixed-point model class: u wraps, decays round to zero, v is reset to zero by a spike."""
    from lava.proc.lif.models import PyLifModelBitAcc

    arrivals = (10, 0, -7, 30, 0, 0, -40, 0)
    model = PyLifModelBitAcc(proc_params={"delay_bits": 1, "max_delay": 0})
    model.a_in, model.s_out = Wire(arrivals), Wire()
    model.u, model.v = np.zeros(1, np.int32), np.zeros(1, np.int32)
    model.du, model.dv, model.vth = 400, 100, 20
    model.bias_mant, model.bias_exp = np.array([-3]), np.array([2])
    u, v = [], []
    for _ in arrivals:
        model.run_spk()
        u.append(int(model.u[0]))
        v.append(int(model.v[0]))
    assert u == [640, 577, 72, 1984, 1789, 1613, -1105, -996]
    assert v == [628, 1177, 1208, 0, 0, 0, -1117, -2097]
    assert [t for t, spike in enumerate(model.s_out.sent, start=1) if spike] == [4, 5, 6]


def test_a_network_runs():
    """Two neurons on Lava's own runtime, in a process of its own because it forks one per Lava Process.

    Weights in steps of 64: neuron 0 gets 20, 30, 20 at steps 2, 3, 6 and fires above 25 at 3; neuron 1 gets -20, 20, -20.
    """
    done = subprocess.run([sys.executable, "-c", NETWORK], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "[[0, 0, 1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0]]"
