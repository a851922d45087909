// What imports have in common: streamed files whose lines were checked one by one.
export { createImportSlots, type ImportSlots, type ImportSlotsOptions } from './import-slots.ts'
export {
  createImportErrors,
  MOST_ERRORS,
  refusalOfFile,
  type ImportErrors,
  type ImportBatch,
  type ImportFile,
} from './import-errors.ts'
