ARG PYTHON_VERSION=3.13

FROM python:${PYTHON_VERSION}-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src

# What the service needs, in an environment without pip: a layer that only a new lock file changes.
# requirements-telemetry.lock has what traces need, too.
ARG REQUIREMENTS=requirements.lock
COPY ${REQUIREMENTS} requirements.lock
RUN python -m venv --without-pip /opt/diptych \
    && pip --python /opt/diptych/bin/python install --no-deps --require-hashes -r requirements.lock

COPY requirements-build.lock ./
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --no-deps --require-hashes -r requirements-build.lock

COPY pyproject.toml README.md LICENSE CHANGELOG.md alembic.ini ./
COPY alembic alembic
COPY app app
RUN /opt/build/bin/python -m hatchling build -t wheel -d /dist \
    && pip --python /opt/diptych/bin/python install --no-deps --no-index /dist/*.whl

FROM python:${PYTHON_VERSION}-slim-trixie
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Diptych" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN groupadd --gid 10001 diptych \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin diptych \
    && install --directory --owner diptych --group diptych --mode 0750 /var/lib/diptych
COPY --from=build /opt/diptych /opt/diptych
COPY deploy/docker/check_health.py /opt/diptych/check_health.py

# HOST: a container is reached from outside, so the service starts with AUTH_ISSUERS or AUTH=keys only.
ENV PATH=/opt/diptych/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/var/lib/diptych \
    LOG_FORMAT=json
WORKDIR /var/lib/diptych
# By number: Kubernetes' runAsNonRoot does not look names up.
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-I", "/opt/diptych/check_health.py"]
ENTRYPOINT ["diptych"]
CMD ["serve"]
