"""Benchmarks of `chipsim bench`: equality first, then time beside other simulators and beside the roofline, and memory."""
