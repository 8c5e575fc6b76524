"""Training a mixture with a latent SVM (Felzenszwalb et al., PAMI 2010, sections 4 and 5)."""
