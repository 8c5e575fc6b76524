"""The AR face database; how many images a copy of it has differs, so no count is required."""

from sanmodel.validation.profiles import PROFILES, PaperRow, Profile
from sanmodel.validation.terms import known

AR_FACE = PROFILES.register("arface")(
    Profile(
        raw=[
            known("condition", "Of every image the condition that it was taken in is known."),
            known("occluded", "Of every image it is known whether something hides the face."),
        ],
        paper=[
            PaperRow("AR-face", "crops", {"images": 3_286, "male_people": 76, "female_people": 60})
        ],
    )
)
