// What tests stand on: databases, back ends, a whole push server in a process, services in processes of their own.
export { bodyOf, defectsOf, valid, type Defect, type KnownValues, type RequestSchema } from './arbitraries.ts'
export { makeApiKey } from './api-keys.ts'
export { createApi, type Response, type Api } from './api.ts'
export { BACKENDS, type TestBackend } from './backends.ts'
export { startConnectProxy, type ConnectProxy } from './connect-proxy.ts'
export { createDatabase, createDebianDatabase, noDebianPostgres, type TestDatabase } from './database.ts'
export {
  APNS_SETTINGS,
  generateApnsKey,
  generateCredentials,
  generateServiceAccount,
  generateUpdates,
  generateHuaweiAccount,
} from './credentials.ts'
export {
  APP,
  openTestStack,
  POWER_AUTH_CLIENT,
  type TestStack,
  type TestStackOptions,
  type ServiceName,
} from './test-stack.ts'
export { createTcpProxy, type TcpProxy } from './tcp-proxy.ts'
export { countDeadlocks } from './deadlocks.ts'
export { freePort } from './free-port.ts'
export { bound, endProcess } from './child-process.ts'
export { spawnRedis, startOwnPostgres, startOwnRedis, type OwnServer } from './own-servers.ts'
export { acceptSurely, analyzeDevices, registerCrowd, sendToCrowd, type Crowd, type Sent } from './load.ts'
export { skipPgBouncer, startPgBouncer, type PgBouncer } from './pgbouncer.ts'
export { emptyQueue } from './queue-loss.ts'
export { createRandom } from './random.ts'
export { operationsOf, type ApiDocument, type Operation } from './operations.ts'
export { spawnService, type ServiceProcess } from './service-process.ts'
export { formerCommit, openTree, THIS_TREE, type Tree } from './trees.ts'
export { waitFor } from './wait-for.ts'
