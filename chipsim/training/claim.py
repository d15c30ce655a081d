"""The place of a run folder: reserved before training starts, given back if nothing came of it."""

from __future__ import annotations

import contextlib
from itertools import count
from pathlib import Path

from chipsim.errors import ConfigError, Problem

NUMBER = "{n}"  # in the name of a run folder: the first free number


class Claim:
    """A run folder that belongs to this process: either just made and empty, or an older run that `force` will replace at the end."""

    def __init__(self, out: str | Path, force: bool):
        """Reserve the folder `out`; `{n}` in its name stands for the first free number.

        Raises:
            ConfigError: it exists (and `force` is not given), it is no run folder, or it cannot be made.
        """
        check_name(out)
        self.made: list[Path] = []
        self.old = False
        pattern = str(out)
        try:
            self.path = self.reserve_numbered(pattern) if NUMBER in pattern else self.reserve(Path(pattern), force)
        except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
            self.release()
            raise refusal(pattern, f"it cannot be made ({getattr(error, 'strerror', None) or error})") from None

    def reserve_numbered(self, pattern: str) -> Path:
        """Make the first folder of the pattern that is free; other processes may be doing the same."""
        for n in count(1):
            path = Path(pattern.replace(NUMBER, str(n)))
            if not path.exists() and self.make(path):
                return path
        raise AssertionError("count(1) ends never")

    def reserve(self, path: Path, force: bool) -> Path:
        """Make one folder, or take over an older run."""
        if not path.exists() and self.make(path):
            return path
        if not force:
            raise refusal(path, "it exists; it is never overwritten without --force")
        known = path.is_dir() and ((path / "config.toml").exists() or (path / "checkpoint").is_dir() or not any(path.iterdir()))
        if not known:
            raise refusal(path, "--force replaces run folders only, and this is none")
        self.old = True
        return path

    def make(self, path: Path) -> bool:
        """Make a folder and its parents; return whether it was this process that made it."""
        self.made = [p for p in (path, *path.parents) if not p.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.mkdir()
        except FileExistsError:
            self.made = []
            return False
        return True

    def release(self) -> None:
        """Give back what is still empty of what was made."""
        for path in self.made:
            with contextlib.suppress(OSError, ValueError):  # not empty, never made, or no possible name
                path.rmdir()


def check_name(out: object) -> None:
    """Refuse what is no path at all."""
    if not isinstance(out, (str, Path)) or not str(out).strip():
        raise refusal(out, "a path is required")
    if len(Path(str(out)).name.encode()) > 200:
        raise refusal(out, "a name of at most 200 characters is possible")


def refusal(out: object, limit: str) -> ConfigError:
    """Return the error for a run folder that cannot be used."""
    return ConfigError(Problem("run folder", "out", str(out) if isinstance(out, Path) else out, limit))
