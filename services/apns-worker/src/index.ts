export { apnsWorker } from './worker.ts'
