"""Rules that learn in forward time: traces, signals, and loops generated from the hooks of a rule (docs/online.md)."""
