"""How long a packet keeps a link busy: the time of its hop, or what the chip states for traffic of many cores (`link.congested_x`, `_y`).

Packets that block each other at busy receivers keep the links behind them busy too. How much of that falls on the hottest link is no
property of the link, so it is calibrated (docs/validation.md), not worked out. The event queue takes the time of a hop as it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from chipsim.cost.engine import LIKE, engine_prices
from chipsim.hardware import Chip, Price

HOPS = ("forward.hops_", "backward.hops_", "backward.error_hops_", "update.hops_")  # of spikes, marks, errors and signals, copies


def time_prices(chip: Chip) -> Mapping[str, Price]:
    """Return the times of all events, with those of hops as packets keep a link busy.

    A packet of which the hop takes twice as long as that of a spike keeps a link twice as long. A hop without a time stays without one.
    """
    prices = dict(engine_prices(chip, "time"))
    for way in "xy":
        if f"congested_{way}" in chip.link:
            prices |= congested(prices, chip, way)
    return prices


def congested(prices: Mapping[str, Price], chip: Chip, way: str) -> dict[str, Price]:
    """Return the times of all hops along x or y on a chip that states how long a spike keeps a link busy."""
    name, spike = f"link.congested_{way}", prices[f"forward.hops_{way}"].value
    kept = Price(**vars(chip.link[f"congested_{way}"]), same_as=name)
    found = {f"forward.hops_{way}": kept}
    for event in (f"{hop}{way}" for hop in HOPS[1:] if f"{hop}{way}" in prices):
        own = prices[event]
        found[event] = kept.borrowed(name, own.value / spike, own.basis, own.source, own.note)
    return found


def drawn_as(event: str, price: Price) -> str:
    """Return the name under which a time is drawn: that of the number it is made of."""
    return price.same_as if price.same_as.startswith("link.") else LIKE.get(event, event)
