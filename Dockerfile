FROM python:3.11.14-slim-bookworm

# The build sees no git tag, so the version is the fallback of pyproject.toml unless it is given here.
ARG VERSION=
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY shipcrowd shipcrowd
COPY couriers couriers
COPY couriers_ekart couriers_ekart
COPY webhooks webhooks
COPY manage.py gunicorn.conf.py ./
RUN SETUPTOOLS_SCM_PRETEND_VERSION=$VERSION \
    pip install --no-cache-dir -c constraints.txt . \
    && groupadd --system --gid 10001 shipcrowd \
    && useradd --system --uid 10001 --gid 10001 --home /app shipcrowd \
    && mkdir staticfiles media && chown shipcrowd:shipcrowd media && chmod 0700 media
USER shipcrowd
# gunicorn.conf.py has the settings. It needs a proxy in front that reads requests whole (deploy/nginx).
CMD ["gunicorn", "shipcrowd.wsgi"]
