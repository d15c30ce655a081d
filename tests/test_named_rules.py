"""Rules that follow a chip rather than a gradient, against what is known of that chip, independent of the package's own text."""

from __future__ import annotations

from itertools import product

import bridge  # noqa: F401 - puts tests/reference on the path
from refrules import FUNCTIONS

from chipsim.learning import rule_object


def test_sdsp_steps_as_the_truth_table_of_odin():
    """up: V >= theta_m and t1 <= Ca < t3, down: V < theta_m and t1 <= Ca < t2 (Frenkel et al. 2019; RTL sdsp_update.v)."""
    rule = rule_object("sdsp")
    (hook,) = [hook for hook in rule.hooks if hook.event == "on_pre"]
    step = rule.bound(hook, FUNCTIONS)
    theta, t1, t2, t3 = (rule.fields[name].value for name in ("theta_m", "c1", "c2", "c3"))
    assert 0 < t1 < t2 < t3 and rule.unit == "lsb" and set(hook.arguments) == {"v", "y", "theta_m", "c1", "c2", "c3"}
    met = set()
    for v, y in product(range(-40, 41, 8), range(0, 1 << rule.fields["y"].bits, 1)):
        stored = {name: rule.fields[name].stored for name in ("theta_m", "c1", "c2", "c3")} | {"v": v, "y": y}
        potential, calcium = v / 2 ** rule.fields["v"].frac, y / 2 ** rule.fields["y"].frac
        up, down = potential >= theta and t1 <= calcium < t3, potential < theta and t1 <= calcium < t2
        assert step(*(stored[name] for name in hook.arguments)) == int(up) - int(down), (v, y)
        met.add((up, down))
    assert met == {(True, False), (False, True), (False, False)}
