"""Measurements that a user can repeat, each behind a command ``san benchmark``."""
