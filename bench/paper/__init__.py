"""The tables of the paper that this suite reproduces.

**Source:** Agyei Kyem, Asamoah, Aboah: Context-CrackNet, Construction and Building Materials 484, 2025, 141583,
doi 10.1016/j.conbuildmat.2025.141583.
"""

from importlib.resources import as_file, files

import pandas as pd

TABLES = ("table_1", "table_2", "tables_3_4_5", "table_6", "table_7")


def published(name: str) -> pd.DataFrame:
    """Return one of ``TABLES``, with the printed numbers and this suite's ids."""
    with as_file(files(__name__) / f"{name}.csv") as path:
        return pd.read_csv(path, dtype={"value": str})
