"""What the tests of flows share."""

from tiny_project import project, template

__all__ = ["project", "template"]
