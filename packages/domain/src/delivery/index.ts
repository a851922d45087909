export { sweep, sweeper } from './sweep.ts'
export { deliveryWorker } from './worker.ts'
