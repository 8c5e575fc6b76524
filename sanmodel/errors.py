"""The one error that users are meant to see."""


class SanError(Exception):
    """Bad input or a broken surrounding, told in one sentence that names the mend.

    The command line prints the message alone, without a traceback, and exits with status 1.
    """
