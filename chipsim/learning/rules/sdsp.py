"""sdsp: spike-driven synaptic plasticity of the ODIN chip."""

from chipsim.learning.language import Const, Learn, PostTrace, Potential, PreTrace, rule, where


@rule
class Sdsp:
    """At a presynaptic spike a weight steps up or down, as potential and calcium of the neuron say. The readout follows its error.

        up:   V_j >= theta_m and c1 <= y_j < c3     w_ij + 1 LSB    at a spike of i, with probability 1/512
        down: V_j <  theta_m and c1 <= y_j < c2     w_ij - 1 LSB
        dw_jc = -x_j[t] G_c[t]                              readout

    y is the calcium: a trace of the neuron's own spikes. Steps of a sample add up and are written after it, saturating, where the chip
    writes each at once; its calcium counter leaks linearly. Left out: the teacher current, and bistability (the slow drift of a weight
    to the nearer end, a dw_on_sample_end of its own).
    Source: Brader, Senn & Fusi 2007, Neural Computation 19(11); Frenkel et al. 2019, ODIN, IEEE TBioCAS 13(1); RTL sdsp_update.v.
    """

    unit = "lsb"
    rate = 1 / 512
    x = PreTrace(tau="post", bits=12, frac=8)
    v = Potential(bits=12, frac=8)
    y = PostTrace(tau=50, bits=7, frac=4)
    theta_m = Const(0, frac=8)
    c1 = Const(0.5, frac=4)
    c2 = Const(2, frac=4)
    c3 = Const(3, frac=4)
    L = Learn("none")

    def dw_on_pre(v, y, theta_m, c1, c2, c3):
        up = where(v < theta_m, 0, where(y < c1, 0, where(y < c3, 1, 0)))
        down = where(v < theta_m, where(y < c1, 0, where(y < c2, 1, 0)), 0)
        return up - down

    def dw_on_readout(x, L):
        return -x * L


RULE = Sdsp
