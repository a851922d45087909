export {
  createApplication,
  describeApplication,
  listApplications,
  removeCredentials,
  updateIos,
} from './administration.ts'
