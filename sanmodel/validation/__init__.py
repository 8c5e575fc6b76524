"""What the tables must fulfil, checked by Great Expectations and shown as its Data Docs."""

import os

# Great Expectations reads this when it is imported, which only modules of this package do.
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
