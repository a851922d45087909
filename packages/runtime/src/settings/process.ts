// Settings of a process as such: its log, its health and metrics, and what `npm start` adds.
import { choice, flag, port, text } from '../setting.ts'

export const LOGGING_SETTINGS = {
  logLevel: choice(
    'trace',
    'debug',
    'info',
    'warn',
    'error',
    'fatal',
    'silent',
  )('LOG_LEVEL', 'Lowest level that is logged.', { fallback: 'info' }),
  logPretty: flag('LOG_PRETTY', 'Whether the log is written for a terminal instead of as JSON lines.', {
    fallback: 'false',
  }),
} as const

export const MONITORING_SETTINGS = {
  healthPort: port(
    'HEALTH_PORT',
    'Port of health and metrics in services without an API. 0 takes any free port and logs it.',
    { fallback: '0' },
  ),
  metricsPerApp: flag('METRICS_PER_APP', 'Whether `push_deliveries_total` counts each application by itself.', {
    fallback: 'false',
  }),
} as const

export const STANDALONE_SETTINGS = {
  dataDir: text(
    'DATA_DIR',
    'Folder in which `npm start` keeps the embedded PostgreSQL, the encryption key and the certificate of the simulator.',
    { fallback: '.data' },
  ),
  simulatorPort: port('SIMULATOR_PORT', 'Port of the page with the simulated phones of `npm start`.', {
    fallback: '8090',
  }),
} as const
