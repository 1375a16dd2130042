"""Answers in time: what was promised, computed from history; what is at risk; what is missed; who takes over."""
