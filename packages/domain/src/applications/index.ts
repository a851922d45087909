// Applications and their credentials.
export {
  createApplication,
  describeApplication,
  listApplications,
  removeCredentials,
  resumePlatform,
  updateAndroid,
  updateHuawei,
  updateIos,
} from './administration.ts'
export { clearRemovedApplications, removeApplication } from './removal.ts'
export { listUnconfigured } from './unconfigured.ts'
