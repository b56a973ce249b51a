"""The command line: parse the arguments, read one section of params.yaml, call one function."""
