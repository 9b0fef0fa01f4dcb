FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY schemas ./schemas
COPY detectors ./detectors
COPY streams ./streams
RUN python -m venv /opt/radvigil && /opt/radvigil/bin/pip install --no-cache-dir .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin radvigil \
  && install -d -o radvigil /var/cache/radvigil
COPY --from=build /opt/radvigil /opt/radvigil
ENV PATH=/opt/radvigil/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
  NUMBA_CACHE_DIR=/var/cache/radvigil
USER 10001
# The detectors' loops, compiled for the machine that builds; another one does it once at its start.
RUN python -c "from detectors.warm import warm_up; warm_up()"
# Numba reads only where it could write: a volume can be written in a read-only container, too.
VOLUME /var/cache/radvigil
EXPOSE 9100
ENTRYPOINT ["radvigil"]
CMD ["--help"]
