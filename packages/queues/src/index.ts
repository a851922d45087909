// HOW work waits: hints in queues. BullMQ's types stay inside this package.
export type { Handled, JobData } from './backend.ts'
export { openQueues, type Consumer, type ConsumeOptions, type Queues, type QueueSettings } from './queues.ts'
