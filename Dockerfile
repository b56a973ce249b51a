# docker build -t crackbench . && docker run --rm crackbench make test
FROM python:3.12-slim-bookworm
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# git: DVC and the recorded commit; g++: train.compile
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends g++ git make && rm -rf /var/lib/apt/lists/*
WORKDIR /crackbench
COPY . .
RUN make install
CMD ["make", "demo"]
