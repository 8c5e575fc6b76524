"""What all tests of tracking share."""

from tiny_project import project, template

__all__ = ["project", "template"]
