// What an error of PostgreSQL means: it is out of reach, it is too busy, or it rejects what it was given.
import pg from 'pg'

/**
 * Of the operating system, of PostgreSQL (classes 08 and 57: connections, shutdowns, cancelled statements; 53: resources;
 * 58: the system below it; 40P01 and 40001: a deadlock or serialization failure that further attempts met again; 55P03: a lock
 * that was not to be had in time; 25P03: a transaction that was left alone; 25006: a replica) and of Prisma.
 */
const CODES =
  /^(ECONN|ETIMEDOUT|EPIPE|ENOTFOUND|ENETUNREACH|EHOSTUNREACH|EAI_AGAIN|08|57|53|58|40P01|40001|55P03|25P03|25006|P1001|P1017)/
const MESSAGES = /connection terminated|timeout exceeded when trying to connect|query read timeout|not queryable/i

interface PostgresError {
  code?: string
  message?: string
  /** Where Prisma keeps PostgreSQL's own code. */
  meta?: { driverAdapterError?: { cause?: { originalCode?: string } } }
}

/** Which connection to PostgreSQL a statement ran on: its process, and when that began, as numbers come again. */
export interface Session {
  pid: number
  startedAt: string
}

/** A change was sent to PostgreSQL and its response was lost: it may be stored, or not, or may still be on its way. */
export class UnconfirmedWrite extends Error {
  override readonly name = 'UnconfirmedWrite'
  /** Undefined behind a pooler, which has its own connections. */
  readonly session: Session | undefined

  constructor(cause: unknown, session: Session | undefined) {
    super(`PostgreSQL did not confirm a change: ${(cause as Error).message}`, { cause })
    this.session = session
  }
}

/** A change that was certainly not stored, though no response said so at the time. */
export class DiscardedWrite extends Error {
  override readonly name = 'DiscardedWrite'
}

export function isUnavailable(error: unknown): boolean {
  if (error instanceof UnconfirmedWrite || error instanceof DiscardedWrite) return true
  const { code = '', message = '', meta } = error as PostgresError
  const inner = meta?.driverAdapterError?.cause?.originalCode ?? ''
  return CODES.test(code) || CODES.test(inner) || MESSAGES.test(message)
}

/** It is unknown what became of the statement. An error that PostgreSQL reports, apart from its own end, says that nothing did. */
export function isResponseLost(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return /^(08|57P|40003)/.test(error.code ?? '')
  return isUnavailable(error) && !/not queryable/i.test((error as Error).message)
}

/** The connection is not to be used again: it is gone, or the response to what was given up is still to come over it. */
export const isBroken = (error: unknown) => isResponseLost(error) || /not queryable/i.test((error as Error).message)

/** Classes 22 and 23: data and constraints. Another attempt cannot help, as it does with all other errors. */
export const isDataError = (error: unknown) => /^2[23]/.test((error as PostgresError).code ?? '')

/** Class 23, in Prisma's words P2002 to P2004: it does not go together with what another request has just stored. */
export const isConflict = (error: unknown) => /^(23|P200[2-4]$)/.test((error as PostgresError).code ?? '')

/** No change can be stored, whatever it is: the disk or the memory is full (53100, 53200), the system below fails (58), or it is a replica (25006). */
export const isUnwritable = (error: unknown) => /^(53[12]00|58|25006)/.test((error as PostgresError).code ?? '')

/** A deadlock or a serialization failure: the same statement may succeed at once. */
export const isAborted = (error: unknown) => /^(40P01|40001)$/.test((error as PostgresError).code ?? '')

/** A unique key that another transaction took meanwhile, or a deadlock: the same work on what is there now succeeds. */
export const isContended = (error: unknown) => /^(23505|40P01)$/.test((error as PostgresError).code ?? '')
