"""Prefect flows: they call ``dvc`` and ``san`` in order and compute nothing themselves."""

import os

# Prefect reads these when it is imported.
os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DVC_NO_ANALYTICS", "1")
# Prefect gives its temporary server 20 seconds, of which a busy machine needs more.
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
