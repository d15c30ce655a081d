"""Errors a user can act on: each names object, key, value and limit, and carries the exit code of the command line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing that is wrong, in the parts a user needs to find and mend it."""

    object: str  # what it belongs to: 'chip "toy"', 'population "hidden1"', 'file "a.toml"'
    key: str  # dotted key, flag or array name
    value: object  # what was found
    limit: str  # what would have been accepted
    hint: str = ""  # how to mend it, if we know

    def __str__(self) -> str:
        text = f"{self.object}: {self.key} = {shorten(self.value)}, but {self.limit}"
        return f"{text}; {self.hint}" if self.hint else text


def shorten(value: object, width: int = 60) -> str:
    """Return a value as it is shown in a message, cut to `width` characters."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= width else text[: width - 3] + "..."


class ChipsimError(Exception):
    """Base of all errors that are not our own mistakes; `problems` lists everything found, not only the first."""

    exit_code = 1

    def __init__(self, problems: Problem | str | Iterable[Problem]):
        if isinstance(problems, (Problem, str)):
            problems = (problems,)
        self.problems = tuple(problems)
        super().__init__(". ".join(str(p) for p in self.problems))


class ConfigError(ChipsimError):
    """A description, flag or argument is wrong (exit code 2)."""

    exit_code = 2


class DataError(ChipsimError):
    """A data set or array is missing or malformed (exit code 2)."""

    exit_code = 2


class CapacityError(ChipsimError):
    """Something does not fit the chip, or the chip cannot do it (exit code 3).

    proposals: changes that would make it fit, as flags of the command line, if they were looked for.
    """

    exit_code = 3
    proposals: tuple[str, ...] = ()


class VerifyError(ChipsimError):
    """A verification found a difference (exit code 4)."""

    exit_code = 4


class RunError(ChipsimError):
    """A run could not go on, for example because a gradient stopped being finite (exit code 1)."""


def raise_all(problems: list[Problem], error: type[ChipsimError] = ConfigError) -> None:
    """Raise `error` with every problem collected, or return if there is none."""
    if problems:
        raise error(problems)
