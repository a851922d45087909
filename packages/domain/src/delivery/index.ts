// Delivery: the engine of a worker, and the sweep.
export { sweep, sweeper } from './sweep.ts'
export { deliveryWorker } from './worker.ts'
