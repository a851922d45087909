// What tests stand on: databases, back ends, a whole push server in a process, services in processes of their own.
export { faultsOf, valid, type Fault, type KnownValues, type RequestSchema } from './arbitraries.ts'
export { createApi, type Answer, type Api } from './api.ts'
export { BACKENDS, type TestBackend } from './backends.ts'
export { startConnectProxy, type ConnectProxy } from './connect-proxy.ts'
export { createDatabase, type TestDatabase } from './database.ts'
export { APNS_SETTINGS, generateApnsKey, generateCredentials, generateServiceAccount } from './credentials.ts'
export {
  APP,
  openHouse,
  POWER_AUTH_CLIENT,
  SHORT_LEASE,
  type House,
  type HouseOptions,
  type ServiceName,
} from './house.ts'
export { createGate, type Gate } from './gate.ts'
export { freePort } from './free-port.ts'
export { acceptSurely, registerCrowd, sendToCrowd, type Crowd, type Sent } from './load.ts'
export { startOwnPostgres, startOwnRedis, type OwnServer } from './own-servers.ts'
export { emptyQueue } from './queue-loss.ts'
export { createRandom } from './random.ts'
export { operationsOf, type ApiDocument, type Operation } from './operations.ts'
export { spawnService, type ServiceProcess } from './service-process.ts'
export { until } from './until.ts'
