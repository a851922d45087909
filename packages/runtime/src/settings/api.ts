// Settings of the gateway: its API, imports, and how much it takes of whom.
import {
  age,
  choice,
  count,
  duration,
  flag,
  hosts,
  origins,
  pathPrefix,
  period,
  port,
  proxies,
  text,
} from '../setting.ts'

export const API_SETTINGS = {
  host: text(
    'HOST',
    'Address that the API listens on. An address other than loopback requires an API key, or `AUTH=none`.',
    { fallback: '127.0.0.1' },
  ),
  port: port('PORT', 'Port that the API listens on.', { fallback: '8080' }),
  contextPath: pathPrefix(
    'CONTEXT_PATH',
    'Prefix under which every path is served beside the root, as installations of the reference server have it. `/`: under the root alone.',
    { fallback: '/powerauth-push-server' },
  ),
  compatibility: choice('1.9', '1.10', 'all')(
    'COMPATIBILITY',
    'Members of responses below `CONTEXT_PATH`, and below the prefix of a proxy that sends `X-Forwarded-Prefix`: `1.9` for those of versions 1.7 to 1.9 of the reference server, `1.10` for those of 1.10 to 2.x, `all` for everything. A request can say so itself in `X-Push-Compatibility`.',
    { fallback: '1.10' },
  ),
  rootCompatibility: choice('1.9', '1.10', 'all')(
    'ROOT_COMPATIBILITY',
    'Members of responses under the root, as `COMPATIBILITY`.',
    {
      fallback: 'all',
    },
  ),
  errorViolations: flag(
    'ERROR_VIOLATIONS',
    'Whether errors list the fields that are wrong. Without the list the message names the first of them. Responses as of a version have lists where that version has them.',
    { fallback: 'true' },
  ),
  auth: choice('none', 'keys')(
    'AUTH',
    'Authentication of callers. `keys` requires an API key of every caller, `none` of no caller. Without a value a key is required as soon as one exists.',
    { requiredWhen: '`HOST` is not loopback and there is no key' },
  ),
  apiKeyBootstrap: text(
    'API_KEY_BOOTSTRAP',
    'API key `<id>.<secret>` with all scopes. The gateway creates it at its start when there has never been a key.',
    { secret: true },
  ),
  trustProxy: proxies(
    'TRUST_PROXY',
    'Proxies whose `X-Forwarded-For`, `X-Forwarded-Host` and `X-Forwarded-Prefix` the gateway believes: comma-separated addresses, networks, `loopback` or `uniquelocal`.',
    { requiredWhen: 'a proxy stands in front and callers have to be distinguished' },
  ),
  publicOrigins: origins(
    'PUBLIC_ORIGINS',
    'Comma-separated origins whose pages may call the API, such as `https://push.example.com`. Without a value those are the origins of the request’s own host over http and https, or of `X-Forwarded-Host` behind a proxy of `TRUST_PROXY`.',
  ),
  allowedHosts: hosts(
    'ALLOWED_HOSTS',
    'Comma-separated names that a request may have as `Host`, beside loopback names. They count while `HOST` is loopback and no key is required. The gateway refuses other names with 421.',
  ),
  bodyLimit: count('BODY_LIMIT', 'Maximum size of a request body in bytes.', { fallback: '1048576' }),
  batchSize: count('BATCH_SIZE', 'Maximum number of messages in one batch request.', { fallback: '20' }),
  directBatchRequests: count(
    'DIRECT_BATCH_REQUESTS',
    'Maximum number of requests that one gateway stores with one statement. While a statement is on its way, further requests gather for the next one.',
    { fallback: '200' },
  ),
  directBatches: count(
    'DIRECT_BATCHES',
    'Maximum number of statements of one kind that store or read for requests at a time in one gateway.',
    { fallback: '1' },
  ),
  syncTimeout: duration(
    'SYNC_TIMEOUT',
    'Maximum time until the response to a SYNCHRONOUS send, counted from the arrival of the request. Deliveries without an outcome by then are `pending` in the response.',
    { fallback: '30s' },
  ),
  idempotencyAge: age(
    'IDEMPOTENCY_AGE',
    'Time for which a request under an `Idempotency-Key` can be sent again without being delivered twice.',
    { fallback: '24h' },
  ),
  applicationName: text('APPLICATION_NAME', 'Name of this server in the service status.', {
    fallback: 'powerauth-push',
  }),
  applicationDisplayName: text('APPLICATION_DISPLAY_NAME', 'Name of this server for people, in the service status.', {
    fallback: 'PowerAuth Push Server',
  }),
  applicationEnvironment: text('APPLICATION_ENVIRONMENT', 'Name of the environment in the service status.', {
    fallback: '',
  }),
} as const

export const GATEWAY_LIMIT_SETTINGS = {
  requestLimit: count(
    'REQUEST_LIMIT',
    'Maximum number of requests under way in one gateway, waiting SYNCHRONOUS sends included. The gateway refuses further requests with 503.',
    { fallback: '1000' },
  ),
  requestTimeout: period(
    'REQUEST_TIMEOUT',
    'Maximum time until a request has arrived whole. Imports have `IMPORT_TIMEOUT` instead.',
    { fallback: '30s' },
  ),
  connectionLimit: count(
    'CONNECTION_LIMIT',
    'Maximum number of open client connections of one gateway. Beyond it the gateway closes idle connections and refuses requests on new ones with 503.',
    { fallback: '10000' },
  ),
} as const

export const IMPORT_SETTINGS = {
  importLimit: count(
    'IMPORT_LIMIT',
    'Maximum size of the body of an import in bytes. The gateway never holds a body as a whole.',
    { fallback: '1073741824' },
  ),
  importLines: count(
    'IMPORT_LINES',
    'Maximum number of lines of an import. The gateway refuses a longer file as a whole.',
    { fallback: '5000000' },
  ),
  importConcurrency: count(
    'IMPORT_CONCURRENCY',
    'Maximum number of imports under way in one gateway. Each takes a database connection. The gateway refuses further imports with 503.',
    { fallback: '2' },
  ),
  importConcurrencyPerKey: count(
    'IMPORT_CONCURRENCY_PER_CALLER',
    'Maximum number of imports under way in one gateway for one API key. The gateway refuses further imports with 503.',
    { fallback: '1' },
  ),
  importTimeout: period('IMPORT_TIMEOUT', 'Maximum time until the body of an import has arrived whole.', {
    fallback: '1h',
  }),
  importIdle: period(
    'IMPORT_IDLE',
    'Maximum silence of the sender of an import. `IMPORT_MIN_RATE` counts from this time on.',
    { fallback: '1m' },
  ),
  importMinRate: count('IMPORT_MIN_RATE', 'Minimum rate of an import in bytes per second. A slower import is ended.', {
    fallback: '16384',
  }),
} as const

export const QUOTA_SETTINGS = {
  backlogLimit: count(
    'BACKLOG_LIMIT',
    'Maximum number of direct deliveries that wait on one platform. Beyond it the gateway refuses messages, with 503, of applications that hold more than an equal share of them.',
    { fallback: '1000000' },
  ),
  quotaAppBacklog: count(
    'QUOTA_APP_BACKLOG',
    'Maximum number of direct deliveries of one application that wait on one platform. Without a value only `BACKLOG_LIMIT` counts.',
  ),
  quotaAppRate: count(
    'QUOTA_APP_RATE',
    'Maximum number of messages per second of one application through one gateway. Without a value there is no limit.',
  ),
  quotaKeyRate: count(
    'QUOTA_CALLER_RATE',
    'Maximum number of messages per second under one API key through one gateway. Without a value there is no limit.',
  ),
} as const
