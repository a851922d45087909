// What every launcher does: read the environment, open the shared context, start one service, stop it in order.
import {
  createLogger,
  createResources,
  readConfig,
  runProcess,
  serveProbes,
  withDeadline,
  type Close,
} from '@push-server/runtime'
import { createProbeAccess } from './access/index.ts'
import { openContext, SERVICE_SETTINGS, writesPart, type Context, type Service } from './context.ts'

interface RunOptions {
  /** The service serves /health and /metrics itself. */
  hasApi?: boolean
}

/** After STOP_TIMEOUT, for everything else to close. */
const CLOSING_MS = 2000

/** Resolves when the process has been told to stop and has stopped. */
export const runService = (name: string, service: Service, { hasApi = false }: RunOptions = {}) =>
  runProcess(async (stopping) => {
    const config = readConfig(process.env, SERVICE_SETTINGS)
    const log = createLogger(config, name)
    const resources = createResources((part, error) => log.error({ err: error, part }, 'close failed'))
    try {
      const context = await openContext(config, log)
      resources.add('context', context.close)
      stopping.throwIfAborted()
      if (!hasApi) resources.add('probes', await openProbes(context))
      resources.add(name, await service(context))
      stopping.throwIfAborted()
      return () =>
        withDeadline(resources.close(), config.stopTimeout + CLOSING_MS, () =>
          log.warn('stopped before everything was closed'),
        )
    } catch (error) {
      await resources.close()
      throw error
    }
  })

async function openProbes(context: Context): Promise<Close> {
  const { config, log } = context
  // A worker cannot claim and a scheduler cannot move anything on without writing.
  context.health.add(writesPart(context, true))
  const { host, healthPort } = config
  const server = await serveProbes(context, { host, port: healthPort, access: createProbeAccess(context), log })
  log.info({ host, port: server.port }, 'probes listening')
  return () => server.close()
}
