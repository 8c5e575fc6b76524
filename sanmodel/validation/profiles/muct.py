"""MUCT: 3,755 photos of 276 people by five cameras."""

from sanmodel.validation.profiles import PROFILES, PaperRow, Profile
from sanmodel.validation.terms import known

MUCT = PROFILES.register("muct")(
    Profile(
        raw=[known("condition", "Of every image its lighting and camera are known.")],
        complete={"images": 3_755, "people": 276, "male_people": 131, "female_people": 145},
        paper=[
            PaperRow("MUCT", "crops", {"images": 3_754, "male_people": 131, "female_people": 145})
        ],
    )
)
