export { fcmWorker } from './worker.ts'
