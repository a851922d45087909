// Retention: rows that have reached their maximum age are removed.
export { retention } from './retention.ts'
