"""Networks that an attacker trains on perturbed faces: a new one is a new module here, registered.

Unlike the attribute classifiers that training never saw, these know the perturbation: they learn
from the outputs themselves. Each maps grey images (B, 1, 224, 224), 0 to 1, to logits (B,).
"""

from torch import nn

from sanmodel.registry import Registry

ATTACKERS: Registry[type[nn.Module]] = Registry("attacker", __name__)
