// JSON log lines. What must never be read in a log is cut out here, wherever in the object it stands.
import { pino, stdSerializers, type Logger as PinoLogger } from 'pino'
import type { Config } from './config.ts'

export type Logger = PinoLogger

const SECRETS = new Set([
  'token',
  'tokens',
  'privateKey',
  'privateKeyBase64',
  'secret',
  'clientSecret',
  'body',
  'authorization',
  // PostgreSQL repeats values there.
  'detail',
  'where',
])
const CENSORED = '[redacted]'
/** Deeper than anything we log; what is below is cut off, whatever it is. */
const DEEPEST = 6

function withoutSecrets(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth > DEEPEST) return CENSORED
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, depth + 1))
  if (value instanceof Error || value instanceof Date) return value
  return membersWithoutSecrets(value, depth)
}

const membersWithoutSecrets = (value: object, depth = 0): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      SECRETS.has(name) ? CENSORED : withoutSecrets(member, depth + 1),
    ]),
  )

/** `name` says which service speaks. */
export function createLogger(config: Pick<Config, 'logLevel' | 'logPretty'>, name: string): Logger {
  return pino({
    name,
    level: config.logLevel,
    formatters: { log: membersWithoutSecrets },
    // What a child logger is bound to does not pass the formatters.
    redact: { paths: [...SECRETS].flatMap((member) => [member, `*.${member}`, `*.*.${member}`]), censor: CENSORED },
    serializers: { err: (error: Error) => membersWithoutSecrets(stdSerializers.err(error)) },
    ...(config.logPretty && {
      transport: {
        target: 'pino-pretty',
        options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l', singleLine: true },
      },
    }),
  })
}

/** What may be shown of a push token: enough to find it, too little to use it. */
export const shortened = (token: string) => `${token.slice(0, 6)}…`
