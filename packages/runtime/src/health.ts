// Whether a process lives and whether it can work. Each part reports for itself.

export interface Part {
  name: string
  /** Without it the process cannot work: it is not ready then. */
  essential: boolean
  /** Resolves with the detail of the part; rejects when the part is down. */
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

/** States are for everybody. Details are not: they name tenants, addresses and the last errors of providers. */
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

/** A part whose check takes longer is down, since probes have a time limit too. */
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

/** Rejects when the work takes longer than a probe waits. */
export async function inTime<T>(work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${CHECK_MS} ms`)), CHECK_MS)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
