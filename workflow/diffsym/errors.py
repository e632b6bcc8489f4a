"""The one exception that is meant for users."""


class DiffsymError(Exception):
    """An error the user can fix.

    The message is one clear sentence that names the file or the setting, says what is wrong
    with it and what to do. Scripts print it without a traceback.
    """
