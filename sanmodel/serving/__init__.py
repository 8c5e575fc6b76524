"""The server: a photo in over HTTP, the perturbed photo out, and a page to try it on.

What is uploaded stays in memory, is never logged, and is gone with the answer.
"""
