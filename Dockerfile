FROM python:3.11-slim

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
    && useradd --system --home /app shipcrowd \
    && mkdir staticfiles media && chown shipcrowd staticfiles media
USER shipcrowd
EXPOSE 8000
CMD ["gunicorn", "shipcrowd.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "8"]
