// Whether an error means that PostgreSQL is out of reach, or that it refused what it was given.

/**
 * Of the operating system, of PostgreSQL (classes 08 and 57P: connections, shutdowns; 53300: too many; 25006: a replica)
 * and of Prisma.
 */
const CODES = /^(ECONN|ETIMEDOUT|EPIPE|ENOTFOUND|ENETUNREACH|EHOSTUNREACH|EAI_AGAIN|08|57P|53300|25006|P1001|P1017)/
const MESSAGES = /connection terminated|timeout exceeded when trying to connect|query read timeout|not queryable/i

interface Fault {
  code?: string
  message?: string
  /** Where Prisma keeps PostgreSQL's own code. */
  meta?: { driverAdapterError?: { cause?: { originalCode?: string } } }
}

export function isAway(error: unknown): boolean {
  const { code = '', message = '', meta } = error as Fault
  const inner = meta?.driverAdapterError?.cause?.originalCode ?? ''
  return CODES.test(code) || CODES.test(inner) || MESSAGES.test(message)
}

/** Classes 22 and 23: data and constraints. Trying again cannot help, as it does with all other faults. */
export const isRefused = (error: unknown) => /^2[23]/.test((error as Fault).code ?? '')

/** Class 23, in Prisma's words P2002 to P2004: it does not go together with what another request has just stored. */
export const isConflict = (error: unknown) => /^(23|P200[2-4]$)/.test((error as Fault).code ?? '')

/** A unique key that another transaction took meanwhile, or a deadlock: the same work on what is there now succeeds. */
export const isContended = (error: unknown) => /^(23505|40P01)$/.test((error as Fault).code ?? '')
