// What imports have in common: streamed files whose lines were checked one by one.
export { createImportSlots, type ImportSlots, type ImportSlotsOptions } from './import-slots.ts'
export type { ImportFile } from './import-errors.ts'
export { importFile, type Staging } from './import-file.ts'
export { createLineApplications } from './line-applications.ts'
export { timeOf } from './line-times.ts'
