// Applications and their credentials.
export {
  createApplication,
  describeApplication,
  listApplications,
  removeCredentials,
  updateAndroid,
  updateHuawei,
  updateIos,
} from './administration.ts'
export { clearRemovedApplications, removeApplication } from './removal.ts'
export { listUnconfigured } from './unconfigured.ts'
