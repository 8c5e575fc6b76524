"""CelebA: 202,599 photos of 10,177 people with forty attributes."""

from sanmodel.validation.profiles import PROFILES, PaperRow, Profile
from sanmodel.validation.terms import matching

CELEBA = PROFILES.register("celeba")(
    Profile(
        raw=[
            matching("image_id", r"^\d{6}$", "Every image has its six-digit CelebA number."),
            matching("identity", r"^\d+$", "Every person has a CelebA number."),
        ],
        complete={
            "images": 202_599,
            "people": 10_177,
            "attributes": 40,
            "male_images": 84_434,
            "female_images": 118_165,
            "partition_0": 162_770,
            "partition_1": 19_867,
            "partition_2": 19_962,
        },
        paper=[
            PaperRow("CelebA-train before cropping", "raw_train", {"images": 162_079}),
            PaperRow("CelebA-test before cropping", "raw_test", {"images": 40_520}),
            PaperRow(
                "CelebA-train",
                "train",
                {"images": 157_350, "male_images": 65_160, "female_images": 92_190},
            ),
            PaperRow(
                "CelebA-test",
                "test",
                {"images": 39_411, "male_images": 16_318, "female_images": 23_093},
            ),
        ],
    )
)
