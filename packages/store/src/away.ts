// Whether an error means that PostgreSQL is out of reach, rather than that it refused something.

/** Of the operating system, of PostgreSQL (classes 08 and 57P: connections, shutdowns; 53300: too many) and of Prisma. */
const CODES = /^(ECONN|ETIMEDOUT|EPIPE|ENOTFOUND|EHOSTUNREACH|08|57P|53300|P1001|P1017)/
const MESSAGES = /connection terminated|timeout exceeded when trying to connect|not queryable/i

export function isAway(error: unknown): boolean {
  const { code = '', message = '' } = error as { code?: string; message?: string }
  return CODES.test(code) || MESSAGES.test(message)
}
