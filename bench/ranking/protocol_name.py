"""The name of a protocol beside its hash."""

NAMES = {"e427ae7306ed": "paper", "7e07a447bcfc": "strict", "9a7de35c74a8": "open"}
"""Hash of the settings that `bench protocol NAME` writes -> name."""


def with_name(protocol: str) -> str:
    """Return how a protocol is shown: its name, if it is one of ours, and its hash.

    >>> with_name("9a7de35c74a8"), with_name("0123456789ab")
    ('open (9a7de35c74a8)', '0123456789ab')
    """
    return f"{NAMES[protocol]} ({protocol})" if protocol in NAMES else protocol
