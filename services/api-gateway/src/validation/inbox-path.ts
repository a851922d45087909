// The path of one inbox message. The words of the operations beside it are no ids: with a method that they do not take they stay the
// wrong method of a known path.
import { INBOX_WORDS } from '@push-server/contract'

export const INBOX_PATH = `/inbox/messages/:id(^(?!${INBOX_WORDS.map((word) => `${word}$`).join('|')})[^/]+$)`
