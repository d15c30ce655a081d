"""Presenting a finished run: text for the terminal and pictures for the run folder. Matplotlib is imported only when drawing."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def pictures(run: Any, folder: str | Path) -> list[Path]:
    """Draw the four pictures of a run into a folder and return their paths.

    learning.png: loss and accuracy; activity.png: spike and active fractions; energy.png: energy by phase and unit;
    mesh.png: energy of each core on the mesh.
    """
    from chipsim.report import mesh, plots

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    draw = {"learning": plots.learning, "activity": plots.activity, "energy": plots.energy, "mesh": mesh.floorplan}
    paths = [folder / f"{name}.png" for name in draw]
    for path, figure in zip(paths, draw.values(), strict=True):
        figure(run).savefig(path, dpi=plots.DPI)
    return paths


__all__ = ["pictures"]
