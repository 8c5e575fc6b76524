"""A further set to evaluate on: fetched and cropped like the photos that a model learns from."""

from sanmodel.errors import SanError
from sanmodel.observer import SILENT, Metrics, Observer
from sanmodel.paths import Paths
from sanmodel.settings import FetchSettings, Settings
from sanmodel.stages import fetch, preprocess


def run(settings: Settings, paths: Paths, name: str, observer: Observer = SILENT) -> Metrics:
    """Write the tables of the set ``name`` of the settings, all of whose faces are for tests.

    Returns:
        What ``preprocess`` returns.

    Raises:
        SanError: If the settings have no such set; else as ``fetch`` and ``preprocess`` do.
    """
    if name not in settings.sets:
        known = ", ".join(settings.sets) or "none"
        raise SanError(f"params.yaml has no set {name!r} under sets: there are {known}")
    own = settings.sets[name].model_dump()
    folder = (paths.root / own.pop("folder")).resolve()  # of the work tree, not of the set
    chosen = settings.model_copy(
        update={
            "fetch": FetchSettings(**own, folder=str(folder), shard_rows=settings.fetch.shard_rows),
            "preprocess": settings.preprocess.model_copy(update={"split": "test"}),
        }
    )
    fetch.run(chosen, paths.of_set(name), observer)
    return preprocess.run(chosen, paths.of_set(name), observer)
