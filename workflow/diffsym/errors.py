"""The one exception that is meant for the user's eyes."""


class DiffsymError(Exception):
    """A mistake the user can mend.

    The message is one clear sentence that names the file or the setting, says what is wrong
    with it and what to do. Scripts print it without a traceback.
    """
