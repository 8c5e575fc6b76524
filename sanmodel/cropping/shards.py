"""One shard: a few dozen raw rows become a file of crops and of rows that are set aside."""

import threading
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from sanmodel.cropping.photo import crop_photo
from sanmodel.detection import DETECTORS, Detector
from sanmodel.parallel.shards import Shard
from sanmodel.settings import PreprocessSettings
from sanmodel.tables import (
    CROP_COLUMNS,
    QUARANTINE_COLUMNS,
    PartWriter,
    iterate_group,
    table_schema,
)

SHARD_COLUMNS: dict[str, pa.DataType] = {
    **{name: kind for name, kind in CROP_COLUMNS.items() if name != "split"},
    **QUARANTINE_COLUMNS,  # reason and detail are null for a crop
    "picture": pa.binary(),  # digest of the crop's pixels
}


@dataclass(frozen=True)
class CropShard:
    """Makes the crops of a shard; runs on a worker.

    Attributes:
        settings: Of the stage.
        attributes: Attribute columns of the raw table.
    """

    settings: PreprocessSettings
    attributes: tuple[str, ...]

    def __call__(self, shard: Shard, path: Path) -> None:
        """Write one row for each raw row, in order."""
        detector = _detector(self.settings)
        with PartWriter(path, table_schema(SHARD_COLUMNS, self.attributes)) as writer:
            for group in shard.groups:
                for row in iterate_group(group):
                    writer.add({**row, "image": None, **crop_photo(row, detector, self.settings)})


_kept = threading.local()  # detectors have scratch memory: one for each thread


def _detector(settings: PreprocessSettings) -> Detector:
    """Return the detector of this thread, which is made once for many shards."""
    if getattr(_kept, "settings", None) != settings:
        _kept.detector = DETECTORS.get(settings.detector)(settings)
        _kept.settings = settings
    detector: Detector = _kept.detector
    return detector
