// Applications and their credentials.
export {
  createApplication,
  describeApplication,
  listApplications,
  removeCredentials,
  resumePlatform,
  switchRawBlocks,
  updateCredentials,
} from './administration.ts'
export { credentialChecker } from './credential-checker.ts'
export { checkCredentials } from './credential-checks.ts'
export { importApplications } from './import.ts'
export { removeHuaweiAccount, updateHuaweiAccount } from './huawei-credentials.ts'
export { clearRemovedApplications, removeApplication } from './removal.ts'
export { listUnconfigured } from './unconfigured.ts'
