"""One loop for all trainings: it knows batches, losses and checkpoints, but nothing of faces."""
