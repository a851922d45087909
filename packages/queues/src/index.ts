// HOW work waits: hints in queues. BullMQ stays behind this page.
export type { Handled, JobData } from './backend.ts'
export { openQueues, type Consumer, type ConsumeOptions, type Queues, type QueueSettings } from './queues.ts'
