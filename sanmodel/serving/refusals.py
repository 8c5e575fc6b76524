"""Requests that are turned away: a status, one sentence, and nothing else."""

from sanmodel.errors import SanError
from sanmodel.images import ImageTooLargeError


class RefusedError(SanError):
    """A request that is not served.

    Args:
        status: HTTP status of the answer.
        sentence: What is wrong and how to mend it.
        retry_after: Seconds after which it may go better; None if it will not.
    """

    def __init__(self, status: int, sentence: str, retry_after: int | None = None) -> None:
        super().__init__(sentence)
        self.status, self.retry_after = status, retry_after


def overloaded() -> RefusedError:
    """Return the answer to one request too many."""
    return RefusedError(503, "too many requests are waiting: try again in a few seconds", 2)


def not_ready() -> RefusedError:
    """Return the answer to a request that comes before the model is loaded."""
    return RefusedError(503, "the model is still being loaded: try again in a few seconds", 5)


def refusal_of(error: SanError) -> RefusedError:
    """Return the answer to a request that made an error; most are the request's own fault."""
    if isinstance(error, RefusedError):
        return error
    return RefusedError(413 if isinstance(error, ImageTooLargeError) else 422, str(error))
