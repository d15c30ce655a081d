"""The frame around every verb: the flags all verbs share, one JSON object or one text on stdout, errors as exit codes."""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

import typer

from chipsim.cli import interrupt, notes
from chipsim.errors import ChipsimError, Problem

SCHEMA = 1
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object on stdout; everything else goes to stderr.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


class Answer(NamedTuple):
    """What a verb found out. facts: the object of --json. text: strings and rich tables for people, in order.

    exit_code: of a verb that answers fully and still found something wrong (4).
    """

    facts: dict[str, Any]
    text: Sequence[object]
    exit_code: int = 0


class Interrupted(ChipsimError):
    """The user pressed Ctrl-C; the message says what was saved."""

    exit_code = 130


def verb(function: Callable[..., Answer]) -> Callable[..., None]:
    """Return the command of a verb: `function` plus --json and --debug, its answer printed, its errors turned into exit codes."""
    name = function.__name__

    @functools.wraps(function)
    def command(*, json: bool, debug: bool, **flags: Any) -> None:
        with contextlib.redirect_stdout(sys.stderr) if json else contextlib.nullcontext():
            answer, error = attempt(function, flags, debug)
        code = complain(error, name, json) if error else show(answer, json)
        if code:
            raise typer.Exit(code)

    signature = inspect.signature(function, eval_str=True)
    shared = [
        inspect.Parameter(k, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=v)
        for k, v in (("json", Json), ("debug", Debug))
    ]
    own = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in signature.parameters.values()]
    command.__signature__ = signature.replace(parameters=[*own, *shared], return_annotation=None)
    command.__annotations__ = {p.name: p.annotation for p in (*own, *shared)}
    return command


def attempt(function: Callable[..., Answer], flags: dict[str, Any], debug: bool) -> tuple[Answer | None, ChipsimError | None]:
    """Run a verb; return its answer or its error. Whatever is not a user's mistake becomes one line that asks for a report."""
    try:
        with interrupt.noted(), notes.shown(flags.get("quiet", False)):
            return function(**flags), None
    except ChipsimError as error:
        cause, found = error, error
    except KeyboardInterrupt as error:
        cause, found = error, Interrupted(str(error) or "interrupted")
    except Exception as error:  # the last resort of the command line: no traceback unless asked for
        where = traceback.extract_tb(error.__traceback__)[-1]
        what = f"{type(error).__name__}: {error}, {os.path.basename(where.filename)}:{where.lineno}"
        cause, found = error, ChipsimError(f"internal error ({what}); please report it, --debug shows the traceback")
    if debug:
        traceback.print_exception(type(cause), cause, cause.__traceback__, file=sys.stderr)
    return None, found


def show(answer: Answer, as_json: bool) -> int:
    """Print an answer on stdout and return its exit code; a reader that closed the pipe has seen enough."""
    try:
        if as_json:
            print(json.dumps(plain(answer.facts), allow_nan=False))
        else:
            print_text(answer.text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return answer.exit_code


def print_text(parts: Sequence[object]) -> None:
    """Print strings as they are and rich tables; what is not a terminal gets lines of up to 130 characters."""
    from rich.console import Console

    terminal = sys.stdout.isatty()
    console = Console(file=sys.stdout, width=None if terminal else 130, markup=False, highlight=False)
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, str))


def complain(error: ChipsimError, name: str, as_json: bool) -> int:
    """Print an error on stderr, with --json also as an object on stdout, and return its exit code."""
    problems = [str(p) for p in error.problems]
    first = problems[0] if len(problems) == 1 else f"{len(problems)} problems"
    print(first if isinstance(error, Interrupted) else f"error: {first}", file=sys.stderr)
    for line in problems if len(problems) > 1 else ():
        print(f"  - {line}", file=sys.stderr)
    proposals = getattr(error, "proposals", ())
    if proposals:
        print("each of these changes alone makes it fit, the smallest first:", file=sys.stderr)
    for line in proposals:
        print(f"  {line}", file=sys.stderr)
    if as_json:
        facts = {"message": str(error), "problems": [as_table(p) for p in error.problems], "exit_code": error.exit_code}
        facts |= {"proposals": proposals} if proposals else {}
        print(json.dumps({"schema": SCHEMA, "verb": name, "error": plain(facts)}, allow_nan=False), flush=True)
    return error.exit_code


def as_table(problem: Problem | str) -> dict[str, object]:
    """Return a problem with its five parts by name."""
    parts = problem if isinstance(problem, Problem) else Problem("", "", None, problem)
    return parts._asdict()


def plain(value: Any) -> Any:
    """Return a value in JSON's own types: numpy scalars as numbers, numbers that are not finite as null, the rest as text."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(v) for v in value]
    if hasattr(value, "tolist"):  # numpy arrays and scalars
        return plain(value.tolist())
    if isinstance(value, float):
        return value if value - value == 0 else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def header(name: str) -> dict[str, Any]:
    """Return the first keys of every answer."""
    return {"schema": SCHEMA, "version": version(), "verb": name}


def version() -> str:
    """Return the version of chipsim."""
    from chipsim import __version__

    return __version__
