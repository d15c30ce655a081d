"""Compiled kernels. They know arrays and numbers only: no chip, no network, no price."""
