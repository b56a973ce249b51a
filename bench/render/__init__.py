"""Renderers: frames in, strings and figures out. Nothing here opens or saves a file."""
