"""What all tests of tracking share."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # pytest imports no module beside a test

from tiny_project import project, template

__all__ = ["project", "template"]
