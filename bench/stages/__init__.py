"""The pipeline: one file is one stage of dvc.yaml, one command and one section of params.yaml."""
