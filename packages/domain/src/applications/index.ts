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
export { listUnconfigured } from './unconfigured.ts'
