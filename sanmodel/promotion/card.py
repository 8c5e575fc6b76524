"""The card of a version: what it is, how well it does, and who decided what."""

from collections.abc import Mapping


def model_card(told: str, tags: Mapping[str, str]) -> str:
    """Write a model card in Markdown.

    Args:
        told: The decision with its figures.
        tags: Of the version: the code and the pipeline that it is of.
    """
    commit = tags.get("mlflow.source.git.commit", "unknown")
    return "\n".join(
        [
            told,
            "**Use.** Grey face crops of 224x224 pixels, cut as `manifest.json` says, with the"
            " class of each; out come the same faces, the attribute hidden from classifiers. It"
            " is meant to protect people who agree to it. It does not hide the attribute from"
            " whoever trains a classifier on its outputs, nor from people who look.",
            "",
            "**Judged by** the test faces of the work tree of the gate, whose people took no part"
            " in training unless the split is by image, and by networks that training never saw.",
            "",
            f"**Made by** commit `{commit}` and dvc.lock `{tags.get('san.dvc_lock', 'unknown')}`"
            " (SHA-256); `san reproduce` makes it again.",
            "",
        ]
    )
