// What monitors of the reference server poll below /actuator, in the words of Spring Boot. Pure.
import type { Build } from './build.ts'
import type { HealthReport, PartReport } from './health.ts'

type Status = 'UP' | 'DOWN' | 'OUT_OF_SERVICE'

interface Component {
  status: Status
  details?: object
}

export interface ActuatorHealth {
  status: Status
  components?: Record<string, Component>
}

/** `otherwise`: the word for a process that is not ready. */
export function actuatorHealth(
  { status, parts }: HealthReport,
  { otherwise, isDetailed }: { otherwise: Status; isDetailed: boolean },
): ActuatorHealth {
  return {
    status: status === 'ready' ? 'UP' : otherwise,
    ...(isDetailed && {
      components: Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, componentOf(part)])),
    }),
  }
}

/** There details are an object. */
function componentOf({ status, detail }: PartReport): Component {
  if (status === 'down') return { status: 'DOWN', details: { error: detail } }
  return {
    status: 'UP',
    ...(detail !== undefined && { details: typeof detail === 'object' ? { ...detail } : { detail } }),
  }
}

export const actuatorInfo = ({ version, buildTime }: Build) => ({
  build: { version, ...(buildTime !== undefined && { time: buildTime }) },
})
