"""Weights that others trained, read from their files as data: nothing in them is ever run."""
