// The path of one message. It takes ids alone, so that `GET /push/message/send` stays the wrong method of a known path.
import { MESSAGE_ID_PATTERN } from '@push-server/contract'

export const MESSAGE_PATH = `/push/message/:id(^${MESSAGE_ID_PATTERN}$)`
