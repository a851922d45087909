// The API gateway: accepts what it has checked and stored, and enqueues it.
import { isIP } from 'node:net'
import { openWaiters, type Service } from '@push-server/domain'
import { ConfigError, createResources, type Config } from '@push-server/runtime'
import { buildApp } from './app.ts'

export const apiGateway: Service = async (context) => {
  const { config, log, store } = context
  refuseOpenDoor(config)
  const resources = createResources((name, error) => log.error({ err: error, resource: name }, 'close failed'))
  const waiters = await openWaiters(store, log)
  resources.add('waiters', () => waiters.close())
  try {
    const app = await buildApp(context, waiters)
    resources.add('http', () => app.close())
    await app.listen({ host: config.host, port: config.port })
    log.info({ host: config.host, port: config.port }, 'accepting')
  } catch (error) {
    await resources.release()
    throw portTaken(error, config) ?? error
  }
  return () => resources.release()
}

const isLoopback = (host: string) =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

/** Nobody asks callers who they are yet, so nobody from elsewhere may call unless the operator insists. */
function refuseOpenDoor({ host, auth }: Config): void {
  if (isLoopback(host) || auth === 'none') return
  throw new ConfigError(
    `Configuration refused:\n  HOST: ${host} can be reached from elsewhere and the API asks for no authentication. Set AUTH=none to insist.`,
  )
}

function portTaken(error: unknown, { host, port }: Config): ConfigError | undefined {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return undefined
  return new ConfigError(`Port ${port} on ${host} is taken. Set PORT to a free one.`)
}
