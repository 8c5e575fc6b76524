"""``python -m sanmodel.cli``, for launchers that take a module."""

from sanmodel.cli import main

main()
