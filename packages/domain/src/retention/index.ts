// Retention: what is past its age is removed.
export { retention } from './retention.ts'
