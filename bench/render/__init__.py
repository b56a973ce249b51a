"""Renderers: frames in, strings and figures out; no file is read or written here."""
