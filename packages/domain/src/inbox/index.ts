// The inbox: messages that wait for the user in the mobile application.
export {
  countUnread,
  createInboxMessage,
  describeInboxMessage,
  listInbox,
  readInbox,
  readInboxMessage,
} from './inbox.ts'
