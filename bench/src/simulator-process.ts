// The simulator in a process of its own, so that its work is not counted as ours. Prints where it is, as one line of JSON.
import { startSimulator } from '@push-server/simulator'

const latencyMs =
  process.argv[2] === undefined ? 0 : (JSON.parse(process.argv[2]) as number | { min: number; max: number })
const { url, apns, fcm, hms } = await startSimulator({ keep: 0, latencyMs })
process.stdout.write(`${JSON.stringify({ url, apns, fcm, hms })}\n`)
