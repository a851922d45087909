// The inbox: messages that wait for the user in the mobile application.
export { importInbox } from './import.ts'
export {
  countUnread,
  createInboxMessage,
  deleteInbox,
  deleteInboxMessage,
  describeInboxMessage,
  inboxApplications,
  listInbox,
  readInbox,
  readInboxMessage,
} from './inbox.ts'
