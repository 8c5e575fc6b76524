"""Prefect flows: they call ``dvc`` and ``san`` in order and compute nothing themselves."""
