// The HMS worker as a value.
export { hmsWorker } from './worker.ts'
