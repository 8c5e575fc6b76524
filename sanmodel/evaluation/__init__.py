"""The paper's section 3: how far the attribute is hidden and how well faces still match.

Everything here is measured with networks that no training stage has seen.
"""
