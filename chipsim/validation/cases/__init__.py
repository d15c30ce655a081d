"""One file per case: TITLE, and `rows()` that runs it."""
