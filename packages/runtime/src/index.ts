// The frame of a process: settings, logger, start and stop order.
export { ConfigError, readConfig, type Config, type ConfigWith } from './config.ts'
export { createClientErrors, type ClientErrors } from './client-errors.ts'
export { withDeadline } from './deadline.ts'
export type { Environment } from './former-names.ts'
export { isHost, isLocalHost, isLoopback } from './host-names.ts'
export { createLogger, shortened, type Logger } from './logger.ts'
export {
  boundedBy,
  fulfilled,
  openNaturalBatches,
  rejected,
  runDivided,
  type Ended,
  type NaturalBatches,
} from './natural-batches.ts'
export { printable } from './printable.ts'
export { REFERENCE_PROPERTIES, type ReferenceProperty } from './reference-properties.ts'
export { runOnce, runProcess, type Stop } from './process.ts'
export { createResources, type Close, type Resources } from './resources.ts'
export { SETTINGS, SETTINGS_BY_SUBJECT } from './settings.ts'
export { createHealth, type Health, type Part } from './health.ts'
export { createMetrics, type DeliveryLabels, type Metrics, type RefusalReason } from './metrics.ts'
export { spanOf, traceIdOf, type Span } from './spans.ts'
export type { QueueDepth } from './waiting-gauges.ts'
export { readBuild, type Build } from './build.ts'
export {
  isOfMetrics,
  probe,
  PROBE_PATHS,
  serveProbes,
  type Probe,
  type ProbeAccess,
  type ProbeServer,
  type Vitals,
} from './probes.ts'
