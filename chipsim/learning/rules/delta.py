"""delta: only the readout learns."""

from chipsim.learning.language import Learn, PreTrace, rule


@rule
class Delta:
    """The readout follows its error; hidden layers stay as they were drawn (a reservoir).

        dw_jc = -x_j[t] G_c[t]                              at every class and every trace that is not zero

    Exact for the readout. Source: Widrow & Hoff 1960; the error is that of softmax cross entropy at every step.
    """

    x = PreTrace(tau="post", bits=12, frac=8)
    L = Learn("none")

    def dw_on_readout(x, L):
        return -x * L


RULE = Delta
