// Whether a process lives and whether it can work. Each part reports for itself.
import { withDeadline } from './deadline.ts'

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
export const CHECK_MS = 2000

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
    const detail = await withDeadline(check(), CHECK_MS, refuseLate)
    return { status: 'up', essential, ...(detail !== undefined && { detail }) }
  } catch (error) {
    // The text is for the operator: addresses stand in errors of our drivers.
    return { status: 'down', essential, detail: (error as Error).message }
  }
}

function refuseLate(): never {
  throw new Error(`no response within ${CHECK_MS} ms`)
}
