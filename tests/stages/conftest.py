"""Every test here trains small networks on one thread."""

from tests.fixtures.training import one_thread

__all__ = ["one_thread"]
