// Applications and their credentials.
export {
  createApplication,
  describeApplication,
  listApplications,
  removeCredentials,
  updateIos,
} from './administration.ts'
