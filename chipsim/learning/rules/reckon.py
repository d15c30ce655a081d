"""reckon: e-prop as the ReckOn chip runs it."""

from chipsim.learning.language import Active, Learn, PreTrace, Weight, rule, times


@rule
class Reckon:
    """e-prop without a filter at the synapse; a weight moves by one LSB or not at all, with a probability that grows with the gradient.

        p_ij = x_i[t] psi_j[t] L_j[t]                       at every active event and every trace that is not zero
        L_j[t] = sum_c w_jc G_c[t]                          (deeper layers: through the active neurons above, same step)
        w_ij <- w_ij - sign(p) with probability min(1, |p| 2^-S), p summed over the sample

    Kept: 12-bit traces, 8-bit weights, the product and the write of the chip. Different here: it writes once per sample, not in every
    step; psi is the surrogate of the model where the chip has a table of five levels; the error is that of a softmax; more than one
    hidden layer is possible.
    Source: Frenkel & Indiveri 2022, ReckOn, ISSCC, arXiv 2208.09759, and its RTL (srnn.v).
    """

    rate = 4
    x = PreTrace(tau="post", bits=12, frac=8, rounding="truncate")
    psi = Active()
    L = Learn("sym", align="same")
    w = Weight(write="one-lsb")

    def dw_on_active(x, psi, L):
        return -x * times(psi, L)

    def dw_on_readout(x, L):
        return -x * L


RULE = Reckon
