"""``vgg_face_dag.pth``: a state dictionary, in a zip archive or, as published, a bare pickle."""

from sanmodel.foreign.reading import read_state_dict
from sanmodel.foreign.vggface import FORMATS, Format, starts_with

PYTORCH = FORMATS.register("pytorch")(
    Format("vgg_face_dag.pth", starts_with(b"PK\x03\x04", b"\x80"), read_state_dict)
)
