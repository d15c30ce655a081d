"""The topics of `chipsim bench`, one module each with `topic(options, progress)`."""
