"""Any photo in, the same photo out with its faces perturbed; a database of crops; a video."""
