// A simulator in a process of its own, which can be stopped as a machine stops. Ends with its parent.
import { startSimulator } from '@push-server/simulator'

const { apns, fcm, hms } = await startSimulator()
process.on('disconnect', () => process.exit())
process.send?.({ apns, fcm, hms })
