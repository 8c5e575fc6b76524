"""Semi-adversarial networks: face images that keep the identity and hide an attribute.

The method is Mirjalili, Raschka, Namboodiri and Ross, "Semi-Adversarial Networks: Convolutional
Autoencoders for Imparting Privacy to Face Images" (ICB 2018), called "the paper" in this package.
"""

__version__ = "0.1.0"
