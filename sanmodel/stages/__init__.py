"""The stages of ``dvc.yaml``: one module each, with one entry function ``run``."""
