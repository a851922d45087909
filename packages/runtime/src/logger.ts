// JSON log lines. Secrets are redacted here, wherever in the object they stand, and control characters
// are escaped in every format of log: a text from outside must not be able to write a line of its own.
import { pino, stdSerializers, type DestinationStream, type LogFn, type Logger as PinoLogger } from 'pino'
import type { Config } from './config.ts'
import { printable, printableStack } from './printable.ts'

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
/** Deeper than anything we log; what is below is redacted, whatever it is. */
const DEEPEST = 6

function withoutSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return printable(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth > DEEPEST) return CENSORED
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, depth + 1))
  if (value instanceof Error || value instanceof Date) return value
  return membersWithoutSecrets(value, depth)
}

const membersWithoutSecrets = (value: object, depth = 0): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      printable(name),
      SECRETS.has(name) ? CENSORED : withoutSecrets(member, depth + 1),
    ]),
  )

/** `name` is that of the service; `destination` is for tests, and only for JSON. */
export function createLogger(
  config: Pick<Config, 'logLevel' | 'logPretty'>,
  name: string,
  destination?: DestinationStream,
): Logger {
  const options = {
    name,
    level: config.logLevel,
    formatters: { log: membersWithoutSecrets },
    hooks: { logMethod: logPrintably },
    serializers: { err: serializeError },
    ...(config.logPretty && {
      transport: {
        target: 'pino-pretty',
        options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l', singleLine: true },
      },
    }),
  }
  return withSafeBindings(destination ? pino(options, destination) : pino(options))
}

/**
 * What a child logger is bound to does not pass the formatters. Here it is redacted once for all lines of the child; the option
 * `redact` of pino would search every line again. Children of children inherit it.
 */
function withSafeBindings(logger: Logger): Logger {
  const { child } = logger
  logger.child = function (this: Logger, bindings: object, options?: object) {
    return child.call(this, membersWithoutSecrets(bindings), options)
  } as typeof child
  return logger
}

/** The stack alone keeps its line breaks. */
const serializeError = (error: unknown) =>
  error instanceof Error
    ? { ...membersWithoutSecrets(stdSerializers.err(error)), stack: printableStack(error) }
    : withoutSecrets(error)

/** pino takes the message of an error when there is no other, so it is given here. */
function logPrintably(this: Logger, args: Parameters<LogFn>, method: LogFn): void {
  const [first, message, ...values] = args as unknown[]
  const error = first instanceof Error ? first : (first as { err?: unknown } | null | undefined)?.err
  const text = message ?? (error instanceof Error ? error.message : undefined)
  const given = text === undefined ? [first] : [first, text, ...values]
  method.apply(this, given.map((each) => (typeof each === 'string' ? printable(each) : each)) as Parameters<LogFn>)
}

/** What may be shown of a push token: enough to find it, too little to use it. */
export const shortened = (token: string) => `${token.slice(0, 6)}…`
