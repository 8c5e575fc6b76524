"""Labeled Faces in the Wild: 13,233 photos of 5,749 people."""

from sanmodel.validation.profiles import PROFILES, PaperRow, Profile
from sanmodel.validation.terms import matching

LFW = PROFILES.register("lfw")(
    Profile(
        raw=[matching("image_id", r"_\d{4}$", "Every image is named by person and number.")],
        complete={"images": 13_233, "people": 5_749},
        paper=[
            PaperRow(
                "LFW",
                "crops",
                {"images": 12_969, "male_people": 4_205, "female_people": 1_448},
            )
        ],
    )
)
