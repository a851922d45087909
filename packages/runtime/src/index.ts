// The frame of a process: settings, logger, start and stop order.
export { ConfigError, readConfig, type Config, type Environment } from './config.ts'
export { createLogger, shortened, type Logger } from './logger.ts'
export { runProcess } from './process.ts'
export { createResources, type Release, type Resources } from './resources.ts'
export { SETTINGS } from './settings.ts'
