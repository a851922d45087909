export { hmsWorker } from './worker.ts'
