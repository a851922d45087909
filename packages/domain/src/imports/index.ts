// What imports have in common: streamed files whose lines were checked one by one.
export { createFaults, type Faults, type ImportBatch } from './faults.ts'
