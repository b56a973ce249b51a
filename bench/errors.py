"""Exceptions whose message is meant for the user."""


class UserError(Exception):
    """Bad input: the message names the file, the value and the cure. The command line prints it and exits with 1."""


class Interrupted(BaseException):
    """A signal ended the work in order, nothing is lost; the command line exits with 128 plus its number."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number
