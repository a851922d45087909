// JSON log lines. What must never be read in a log is cut out here, wherever in the object it stands.
import { pino, type Logger as PinoLogger } from 'pino'
import type { Config } from './config.ts'

export type Logger = PinoLogger

const SECRET_MEMBERS = [
  'token',
  'tokens',
  'privateKey',
  'privateKeyBase64',
  'secret',
  'clientSecret',
  'body',
  'authorization',
]

/** `name` says which service speaks. */
export function createLogger(config: Pick<Config, 'logLevel' | 'logPretty'>, name: string): Logger {
  return pino({
    name,
    level: config.logLevel,
    redact: {
      paths: SECRET_MEMBERS.flatMap((member) => [member, `*.${member}`, `*.*.${member}`]),
      censor: '[redacted]',
    },
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
