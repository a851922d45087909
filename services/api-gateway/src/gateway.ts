// The API gateway: accepts what it has checked and stored, and enqueues it.
import {
  checkStartup,
  encryptionKeysPart,
  openActivations,
  openBackPressure,
  openMessageBatches,
  openWaiters,
  writesPart,
  type Service,
} from '@push-server/domain'
import { ConfigError, createResources, type Config } from '@push-server/runtime'
import { lookup } from 'node:dns/promises'
import { buildApp } from './app.ts'

/** Connections that wait to be accepted; the system's own limit may be lower. A burst beyond it takes seconds to connect. */
const BACKLOG = 4096

export const apiGateway: Service = async (context) => {
  const { config, health, log, queues, store } = context
  // Whatever only reads goes on.
  health.add(writesPart(context, false))
  health.add(encryptionKeysPart(context, false))
  // Without the queue messages are stored all the same, and the sweep enqueues them later.
  health.add({ name: 'queue', essential: false, check: () => queues.ping() })
  const resources = createResources((name, error) => log.error({ err: error, resource: name }, 'close failed'))
  try {
    await checkStartup(context)
    const waiters = await openWaiters(store, log)
    resources.add('waiters', () => waiters.close())
    const pressure = await openBackPressure(context)
    resources.add('back-pressure', () => pressure.close())
    const activations = openActivations(config, store)
    resources.add('activations', () => activations.close())
    // Without it nobody can register, and everything else goes on.
    if (activations.check) health.add({ name: 'powerauth', essential: false, check: activations.check })
    const batches = openMessageBatches(context)
    const app = await buildApp(context, { waiters, pressure, batches, activations })
    resources.add('http', () => app.close())
    await app.listen({ host: await addressOf(config.host), port: config.port, backlog: BACKLOG })
    log.info({ host: config.host, port: config.port }, 'listening')
  } catch (error) {
    await resources.close()
    throw portTaken(error, config) ?? error
  }
  return () => resources.close()
}

/** For a name the framework opens a second server, which lacks what ours does with broken requests. */
const addressOf = async (host: string) => (host === 'localhost' ? (await lookup(host)).address : host)

function portTaken(error: unknown, { host, port }: Config): ConfigError | undefined {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return undefined
  return new ConfigError(`Port ${port} on ${host} is taken. Set PORT to a free one.`)
}
