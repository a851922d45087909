// Whether a process lives and whether it can work, each part speaking for itself.

export interface Part {
  name: string
  /** Without it the process cannot work: it is not ready then. */
  essential: boolean
  /** Rejects when the part is out of order; what it resolves with is its detail. */
  check(): Promise<unknown>
}

export interface PartReport {
  status: 'up' | 'down'
  essential: boolean
  detail?: unknown
}

export interface HealthReport {
  status: 'ready' | 'not ready'
  parts: Record<string, PartReport>
}

/** Details name tenants, addresses and what providers said last; states are for everybody. */
export const withoutDetails = ({ status, parts }: HealthReport): HealthReport => ({
  status,
  parts: Object.fromEntries(
    Object.entries(parts).map(([name, { status, essential }]) => [name, { status, essential }]),
  ),
})

export interface Health {
  add(part: Part): void
  report(): Promise<HealthReport>
}

/** A part that does not answer within this time is down: whoever asks has a time limit too. */
const CHECK_MS = 2000

export function createHealth(): Health {
  const parts: Part[] = []
  return {
    add: (part) => void parts.push(part),
    async report() {
      const reports = await Promise.all(parts.map(async (part) => [part.name, await reportOf(part)] as const))
      const ready = reports.every(([, report]) => report.status === 'up' || !report.essential)
      return { status: ready ? 'ready' : 'not ready', parts: Object.fromEntries(reports) }
    },
  }
}

async function reportOf({ essential, check }: Part): Promise<PartReport> {
  try {
    const detail = await inTime(check())
    return { status: 'up', essential, ...(detail !== undefined && { detail }) }
  } catch (error) {
    // The text is for the operator: addresses stand in errors of our drivers.
    return { status: 'down', essential, detail: (error as Error).message }
  }
}

/** Rejects when it takes longer than whoever probes would wait. */
export async function inTime<T>(work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${CHECK_MS} ms`)), CHECK_MS)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
