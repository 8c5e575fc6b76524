"""``vgg_face_dag.pth``: a state dictionary, in a zip archive or, as published, a bare pickle."""

from sanmodel.foreign.reading import read_state_dict
from sanmodel.foreign.vggface import FORMATS, Format, starts_with

PICKLE = b"\x80\x02"
"""Protocol 2, torch.save's; 0x80 alone may begin the length of a safetensors header, too."""

PYTORCH = FORMATS.register("pytorch")(
    Format("vgg_face_dag.pth", starts_with(b"PK\x03\x04", PICKLE), read_state_dict)
)
