# syntax=docker/dockerfile:1
# One image for every part: `holdfast serve --only api`, `runner`, `worker`.
FROM node:24.11.1-bookworm-slim AS build
WORKDIR /holdfast
COPY package.json package-lock.json .npmrc ./
# Nothing is built before the sources are there; what the lock file names is all that comes in.
RUN npm ci --ignore-scripts --no-progress
COPY tsconfig.json tsconfig.build.json ./
COPY apps apps
COPY libs libs
RUN npx --no-install tsc -p tsconfig.build.json && npm prune --omit=dev --ignore-scripts --no-progress

FROM node:24.11.1-bookworm-slim
# bubblewrap: the sandbox of a worker that runs trainings on its own host.
RUN apt-get update \
  && apt-get install -y --no-install-recommends bubblewrap tini \
  && rm -rf /var/lib/apt/lists/* \
  && groupadd --gid 10001 holdfast \
  && useradd --uid 10001 --gid holdfast --no-create-home --shell /usr/sbin/nologin holdfast \
  # Volumes take over who owns these.
  && install -d -o holdfast -g holdfast -m 0700 /home/holdfast /home/holdfast/objects.git
WORKDIR /holdfast
COPY --from=build /holdfast/package.json ./
COPY --from=build /holdfast/node_modules node_modules
COPY --from=build /holdfast/dist dist
ENV NODE_ENV=production HOLDFAST_HOME=/home/holdfast HOLDFAST_HOST=0.0.0.0
USER holdfast
EXPOSE 7420
ENTRYPOINT ["tini", "--", "node", "/holdfast/dist/apps/cli/src/main.js"]
CMD ["serve"]
