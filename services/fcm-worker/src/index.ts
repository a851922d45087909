// The FCM worker as a value.
export { fcmWorker } from './worker.ts'
