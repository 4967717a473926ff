"""Measuring a planner: answers compared with gold, and the figures that follow from the comparison."""
