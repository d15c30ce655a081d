"""Shipped rules, one file each."""
