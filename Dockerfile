FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY schemas ./schemas
COPY detectors ./detectors
COPY streams ./streams
RUN python -m venv /opt/radvigil && /opt/radvigil/bin/pip install --no-cache-dir .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin radvigil
COPY --from=build /opt/radvigil /opt/radvigil
ENV PATH=/opt/radvigil/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001
EXPOSE 9100
ENTRYPOINT ["radvigil"]
CMD ["--help"]
