// The APNs worker as a value.
export { apnsWorker } from './worker.ts'
