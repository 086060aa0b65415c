# syntax=docker/dockerfile:1
# Eutectic in a container: docs/containers.md says how it is run.
#
#   docker build -t eutectic .                             # computes on the processor
#   docker build -t eutectic:cuda --build-arg TORCH=cuda . # on a GPU of NVIDIA's
#
# Layers lie by how seldom they change: Debian's packages, Python's, the program. `--target compute`
# leaves out what only a daemon that plays needs.

# What the tests run on: its Python and its libraries are those that are tested
ARG DEBIAN=bookworm
ARG UV_CACHE_DIR=/var/cache/uv
ARG UV_COMPILE_BYTECODE=1
ARG UV_LINK_MODE=copy

FROM debian:${DEBIAN}-slim AS system
# wget is what KubeRay's probes ask with
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 wget \
    && rm -rf /var/lib/apt/lists/*
# Whoever it is run as can write to the data folder; under a number, Kubernetes knows it isn't root
RUN useradd --uid 10001 --no-log-init --no-create-home --home-dir /data eutectic \
    && install --directory --mode 1777 /data /sounds

# uv, as the lock has it
FROM system AS tools
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3-pip \
    && rm -rf /var/lib/apt/lists/*
RUN --mount=type=bind,source=docs/containers/image.lock,target=/build/image.lock \
    sed -n '/^uv==/,/[^\\]$/p' /build/image.lock > /uv.lock \
    && pip install --no-cache-dir --no-compile --require-hashes --target /uv --requirement /uv.lock

FROM system AS packages
# The build of torch: cpu, cuda (the package index's own), or another that uv knows, such as cu126.
# One that the index lacks is the only package that the lock has no digest of.
ARG TORCH=cpu
# Of pyproject.toml, as far as the lock has them
ARG EXTRAS="cloud kuberay parquet"
ARG UV_CACHE_DIR
ARG UV_COMPILE_BYTECODE
ARG UV_LINK_MODE
RUN --mount=type=cache,target=/var/cache/uv \
    --mount=type=bind,from=tools,source=/uv,target=/uv \
    --mount=type=bind,source=pyproject.toml,target=/build/pyproject.toml \
    --mount=type=bind,source=docs/containers/image.lock,target=/build/image.lock \
    cd /build \
    && if [ "$TORCH" = cuda ]; then cp image.lock /constraints.lock; else \
        export UV_TORCH_BACKEND="$TORCH" \
        && sed '/^torch\(audio\)\?==/,/[^\\]$/ { /^torch/!d; s/ \\$// }' image.lock > /constraints.lock; \
    fi \
    && /uv/bin/uv venv --python /usr/bin/python3 /opt/eutectic \
    && /uv/bin/uv pip install --python /opt/eutectic --no-build --group engine \
        --constraints /constraints.lock --requirements pyproject.toml \
        $(printf -- ' --extra %s' $EXTRAS) \
    && rm /constraints.lock

FROM tools AS wheel
ARG UV_CACHE_DIR
ARG UV_LINK_MODE
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/var/cache/uv \
    /uv/bin/uv build --wheel --build-constraints requirements.lock --require-hashes --out-dir /dist

# `eutectic render`, and `eutectic engine --listen`
FROM packages AS compute
LABEL org.opencontainers.image.title="Eutectic" \
    org.opencontainers.image.description="Fuses two sounds into a third" \
    org.opencontainers.image.licenses="MIT"
RUN --mount=type=bind,from=wheel,source=/dist,target=/dist \
    /opt/eutectic/bin/uv pip install --python /opt/eutectic --no-deps --no-cache --offline \
        --compile-bytecode --link-mode copy /dist/*.whl \
    && ln --symbolic /opt/eutectic/bin/eutectic /opt/eutectic/bin/ray /usr/local/bin/
# Whoever it is run as has a home, and a name, which torch asks for
ENV EUTECTIC_DATA=/data HOME=/data USER=eutectic \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility RAY_USAGE_STATS_ENABLED=0
VOLUME /data
WORKDIR /sounds
USER 10001:10001
ENTRYPOINT ["eutectic"]
CMD ["--help"]

# All that, and `eutectic serve` on ALSA's and JACK's devices
FROM compute AS stage
USER root
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libjack-jackd2-0 libportaudio2 \
    && rm -rf /var/lib/apt/lists/*
USER 10001:10001
# OSC, OSCQuery, the page
EXPOSE 9720/udp 9720/tcp 9721/tcp 9722/tcp
HEALTHCHECK --start-period=30s CMD ["eutectic", "status"]
