// The inbox: messages that wait for the user.
export {
  countUnread,
  createInboxMessage,
  describeInboxMessage,
  listInbox,
  readInbox,
  readInboxMessage,
} from './inbox.ts'
