# Two images from one file, for the classic builder and BuildKit alike:
#
#   docker build --target api -t qstill-api .          the API and `qstill migrate`; no torch, no qiskit
#   docker build --target worker -t qstill-worker .    workers of both queues
#
# PyPI's torch for Linux brings CUDA, several gigabytes of it. Without a GPU, name an index with PyTorch's CPU wheels:
#   docker build --target worker --build-arg PIP_EXTRA_INDEX_URL=... .

FROM python:3.11-slim AS base
ENV PATH=/opt/qstill/bin:$PATH \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore


# What Qstill needs, before Qstill itself: a change of the source leaves these layers alone.
FROM base AS api-dependencies
ARG PIP_EXTRA_INDEX_URL
RUN python -m venv --without-pip /opt/qstill
WORKDIR /src
COPY pyproject.toml constraints.txt ./
# pyproject.toml names a README.md; an image needs none.
RUN touch README.md && pip --python /opt/qstill/bin/python install -c constraints.txt '.[server,postgresql]'


# Qstill itself, in an environment of its own at the same place: laid over the one above, it is a layer of a few 100 kB.
FROM base AS package
RUN python -m venv --without-pip /opt/qstill
WORKDIR /src
COPY pyproject.toml ./
COPY qstill qstill
COPY ledger ledger
COPY app app
COPY workers workers
RUN touch README.md && pip --python /opt/qstill/bin/python install --no-deps .


FROM base AS runtime
# pip has compiled all modules; the user below may not write beside them, and should not try.
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    QSTILL_DATA_DIR=/data
# A number, so that a scheduler can see that it is not root. A new volume takes over the owner of the folder it covers.
RUN useradd --uid 10001 --create-home qstill && install -d -o qstill -g qstill /data /data/store
WORKDIR /data
STOPSIGNAL SIGTERM
ENTRYPOINT ["qstill"]


FROM runtime AS api
COPY --from=api-dependencies /opt/qstill /opt/qstill
COPY --from=package /opt/qstill /opt/qstill
USER 10001:10001
EXPOSE 8400
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=6 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8400/readyz', timeout=4)"]
CMD ["api", "--host", "0.0.0.0"]


# Down here because the classic builder builds all that stands above its target.
FROM api-dependencies AS worker-dependencies
ARG PIP_EXTRA_INDEX_URL
RUN pip --python /opt/qstill/bin/python install -c constraints.txt '.[worker,postgresql,single]'

FROM runtime AS worker
COPY --from=worker-dependencies /opt/qstill /opt/qstill
COPY --from=package /opt/qstill /opt/qstill
USER 10001:10001
CMD ["worker", "circuits"]
