"""The command line: `chipsim <verb>`. It reads flags and prints answers; everything else happens below."""

from chipsim.cli.app import app, main

__all__ = ["app", "main"]
