// What every launcher does: read the environment, open the shared context, start one service, stop it in order.
import { createLogger, createResources, readConfig, runProcess, serveProbes, type Close } from '@push-server/runtime'
import { createProbeAccess } from './access/index.ts'
import { openContext, SERVICE_SETTINGS, writesPart, type Context, type Service } from './context.ts'

interface RunOptions {
  /** The service serves /health and /metrics itself. */
  hasApi?: boolean
}

/** Resolves when the process has been told to stop and has stopped. */
export const runService = (name: string, service: Service, { hasApi = false }: RunOptions = {}) =>
  runProcess(async () => {
    const config = readConfig(process.env, SERVICE_SETTINGS)
    const log = createLogger(config, name)
    const resources = createResources((part, error) => log.error({ err: error, part }, 'close failed'))
    try {
      const context = await openContext(config, log)
      resources.add('context', context.close)
      if (!hasApi) resources.add('probes', await openProbes(context))
      resources.add(name, await service(context))
      return () => resources.close()
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
