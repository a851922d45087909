// Whether a process lives and whether it can work, each part speaking for itself.

export interface Part {
  name: string
  /** Without it the process cannot work: it is not ready then. Other parts are told as detail. */
  essential: boolean
  /** Rejects when the part is out of order; what it resolves with is told. */
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
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${CHECK_MS} ms`)), CHECK_MS)
  try {
    const detail = await Promise.race([check(), late.promise])
    return { status: 'up', essential, ...(detail !== undefined && { detail }) }
  } catch (error) {
    // The text is for the operator; connection strings and the like stand in no error of our drivers.
    return { status: 'down', essential, detail: (error as Error).message }
  } finally {
    clearTimeout(timer)
  }
}
