# One image for every service; the command picks the service.
#   docker build -t push-server .
#   docker run push-server services/api-gateway/src/main.ts

FROM node:24-bookworm-slim AS build
WORKDIR /app
RUN npm install --global pnpm@10.34.9
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY packages packages
COPY services services
RUN pnpm install --frozen-lockfile
COPY prisma prisma
COPY prisma.config.ts ./
RUN date -u +%Y-%m-%dT%H:%M:%SZ > build-time
# What only building needs is a third of the whole; pnpm leaves it behind unless it starts from nothing.
RUN node node_modules/prisma/build/index.js generate \
  && find . -name node_modules -prune -exec rm -rf {} + \
  && pnpm install --frozen-lockfile --prod

FROM node:24-bookworm-slim
ENV NODE_ENV=production HEALTH_PORT=9090
# Three times this many MB are what a process keeps for what it has only just made; V8's own 32 cost 50 MB more and save no time.
ENV NODE_OPTIONS=--max-semi-space-size=16
WORKDIR /app
COPY --from=build /app ./
USER node
# The gateway answers on PORT, every other service on HEALTH_PORT.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "services/healthcheck.mjs"]
ENTRYPOINT ["node"]
CMD ["services/api-gateway/src/main.ts"]
