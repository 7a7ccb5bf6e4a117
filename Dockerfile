# Two stages: pip, its cache and the sources stay in the first.
FROM python:3.11.14-slim-bookworm AS build

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /venv
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY shipcrowd shipcrowd
COPY couriers couriers
COPY couriers_ekart couriers_ekart
COPY couriers_delhivery couriers_delhivery
COPY couriers_velocity couriers_velocity
COPY webhooks webhooks
# The build sees no git tag, so the version is the fallback of pyproject.toml unless it is given here.
ARG VERSION=
RUN SETUPTOOLS_SCM_PRETEND_VERSION=$VERSION /venv/bin/pip install -c constraints.txt ".[otel,sentry]" \
    # WhiteNoise warns of a folder of static files that is not there.
    && mkdir "$(/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/staticfiles"

FROM python:3.11.14-slim-bookworm

# pip compiled everything: nothing is written at run time, where the file system is read-only.
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MEDIA_ROOT=/app/media
RUN groupadd --system --gid 10001 shipcrowd \
    && useradd --system --uid 10001 --gid 10001 --home /app --shell /usr/sbin/nologin shipcrowd \
    && install -d -o 10001 -g 10001 -m 0700 /app/media
COPY --from=build /venv /venv
WORKDIR /app
COPY manage.py gunicorn.conf.py ./
USER 10001:10001
# gunicorn.conf.py has the settings. It needs a proxy in front that reads requests whole (deploy/nginx).
CMD ["gunicorn", "shipcrowd.wsgi"]
