"""The parts of the report: its tables, figures, source images and page."""
