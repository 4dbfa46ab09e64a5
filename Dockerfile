# One image for web, worker and beat; docker-compose.yml says which of them a container is.
FROM node:22-bookworm-slim AS browser
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund

FROM python:3.11-slim-bookworm
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    CRM_DATA_DIR=/data
WORKDIR /app
RUN useradd --system --uid 10001 --home-dir /data crm && install -d -o crm /data
COPY requirements.txt ./
RUN pip install -r requirements.txt
COPY --from=browser /app/node_modules ./node_modules
COPY . .
RUN python -m babel.messages.frontend compile -q -d locale -D django \
    && CRM_STATIC_ROOT=/app/collected CRM_DATA_DIR=/tmp/build SECRET_KEY=build \
       python manage.py collectstatic --noinput -v0 \
    && rm -rf /tmp/build
ENV CRM_STATIC_ROOT=/app/collected
USER crm
VOLUME /data
EXPOSE 8000
CMD ["uvicorn", "crm.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--log-level", "warning", \
     "--timeout-graceful-shutdown", "10", "--no-server-header"]
