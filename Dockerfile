# The server alone, see docs/serving.md: the base install and the extra `serve`, as a user who owns
# nothing.
FROM python:3.11-slim AS build
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY sanmodel sanmodel
COPY flows flows
RUN python -m venv /opt/san \
 && /opt/san/bin/pip install --no-cache-dir --constraint constraints.txt ".[serve]"

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home san
COPY --from=build /opt/san /opt/san
ENV PATH=/opt/san/bin:$PATH PYTHONUNBUFFERED=1
USER san
WORKDIR /home/san
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD \
  ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/ready', timeout=4)"]
# `san` is process 1: SIGTERM from `docker stop` reaches it, and it finishes what it took.
ENTRYPOINT ["san", "serve", "--host", "0.0.0.0", "--port", "8080"]
