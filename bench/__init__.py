"""Measurements as ratios within one run; never tests. ``make bench`` or ``make bench NAME=dni``."""
