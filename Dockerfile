# The operator's image, built from the repository's root:
#   docker build --tag study-operator:0.2.0 .
# BASE is any image with Python 3.11 or newer as `python3`, and pip; docs/images.md says more.
ARG BASE=python:3.12-slim

FROM ${BASE} AS build
WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
# The dependencies are wheels of the pinned versions, never built here; they're fetched anew only when the pins change.
RUN mkdir -p operator/study_operator && touch operator/study_operator/__init__.py \
    && python3 -m pip wheel --no-cache-dir --only-binary=:all: --constraint=constraints.txt --wheel-dir=wheels '.[exploitation]'
COPY operator operator
RUN python3 -m pip wheel --no-cache-dir --no-deps --wheel-dir=wheels . \
    && python3 -m venv --without-pip /opt/study-operator \
    && python3 -m pip --python=/opt/study-operator/bin/python install --no-cache-dir --no-index --only-binary=:all: \
        --find-links=wheels 'study-operator[exploitation]' \
    && find /opt/study-operator -type d -name tests -prune -exec rm -r {} +

FROM ${BASE}
ARG VERSION=0.2.0
LABEL org.opencontainers.image.title="study-operator" \
      org.opencontainers.image.description="Deep learning tuning studies on Kubernetes" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
# Nothing is installed into a running operator, so its image has no installer.
RUN ["python3", "-c", "import pathlib, pip, shutil; p = pathlib.Path(pip.__file__).parent; [shutil.rmtree(f) for f in (p, *p.parent.glob('pip-*.*-info'))]"]
COPY --from=build /opt/study-operator /opt/study-operator
# Two arenas instead of eight a core: the memory of short-lived threads is given back.
ENV PATH=/opt/study-operator/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2
USER 65532:65532
WORKDIR /tmp
EXPOSE 8080
ENTRYPOINT ["study-operator"]
