"""``.safetensors`` with the names of ``vgg_face_dag.pth``."""

from safetensors.torch import load_file

from sanmodel.foreign.vggface import FORMATS, Format

MAX_HEADER = 100_000_000
"""Longest header that the format allows."""


def is_safetensors(head: bytes) -> bool:
    """Tell by the header: its length, then JSON."""
    return head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= MAX_HEADER


SAFETENSORS = FORMATS.register("safetensors")(
    Format("vgg_face_dag.pth as .safetensors", is_safetensors, load_file)
)
