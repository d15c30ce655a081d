"""stdp-triplet: spike-timing-dependent plasticity of pairs and triplets."""

from chipsim.learning.language import Const, Learn, PostTrace, PreTrace, rule


@rule
class StdpTriplet:
    """Pairs as in stdp, and triplets: a spike counts more if its own neuron spiked before. The readout learns with its error.

        dw_ij = r1_i (A2_plus + A3_plus o2_j)               at a spike of j
        dw_ij = -o1_j (A2_minus + A3_minus r2_i)            at a spike of i
        dw_jc = -r1_j G_c[t]                                readout

    All traces, also r2 and o2, are read before the spikes of the step are added. Times in steps (of 1 ms in the paper). Amplitudes are
    the paper's 6.1, 6.7, 1.6 and 1.4e-3, rounded to three binary digits, what a Lava rule takes.
    Source: Pfister & Gerstner 2006, J. Neurosci. 26(38), equations 3 and 4; table 4, hippocampal cultures, all-to-all.
    """

    rate = 0.001
    r1 = PreTrace(tau=16.8, bits=7, frac=4)
    r2 = PreTrace(tau=946, bits=7, frac=4)
    o1 = PostTrace(tau=33.7, bits=7, frac=4)
    o2 = PostTrace(tau=27, bits=7, frac=4)
    plus2 = Const(3 / 512, frac=14)
    plus3 = Const(7 / 1024, frac=10)
    minus2 = Const(7 / 4096, frac=16)
    minus3 = Const(3 / 2048, frac=12)
    L = Learn("none")

    def dw_on_post(r1, o2, plus2, plus3):
        return r1 * (plus2 + plus3 * o2)

    def dw_on_pre(o1, r2, minus2, minus3):
        return -o1 * (minus2 + minus3 * r2)

    def dw_on_readout(r1, L):
        return -r1 * L


RULE = StdpTriplet
