"""Figures of speed and growth, measured as ratios in one run: ``python -m bench``."""
