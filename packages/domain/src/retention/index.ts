// Retention: what is past its age is removed.
export { removeOld, retention } from './retention.ts'
