"""What the tests of flows share."""

import sys
from pathlib import Path

# pytest imports no module of another test folder.
sys.path.insert(0, str(Path(__file__).parents[1] / "tracking"))

from tiny_project import project, template

__all__ = ["project", "template"]
