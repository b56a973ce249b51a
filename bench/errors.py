"""The one exception whose message is meant for the user: it names the file, the value and the cure."""


class UserError(Exception):
    """Raise for bad input; the command line prints the message as one line and exits with 1."""
