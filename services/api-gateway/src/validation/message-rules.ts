// The rules of requests that send messages, in the order in which clients know their texts. Pure.
import { TEXT } from '@push-server/contract'
import { notBlank, notNull, required, type Rule } from './rules.ts'

type Members = Readonly<Record<string, unknown>>
const membersOf = (value: unknown) => (typeof value === 'object' && value !== null ? (value as Members) : null)

/** What is wrong with a message, whatever request it stands in. */
function messageError(message: unknown): string | undefined {
  if (message === null || message === undefined) return TEXT.messageNull
  const members = membersOf(message)
  if (members === null) return undefined
  return notNull('body', TEXT.messageBodyMissing)(members) ?? notNull('userId', TEXT.messageUserMissing)(members)
}

const validMessage: Rule = (object) => messageError(object?.message)

const validBatch =
  (most: number): Rule =>
  (object) => {
    const batch = object?.batch
    if (!Array.isArray(batch)) return undefined
    if (batch.length === 0) return TEXT.batchEmpty
    if (batch.length > most) return TEXT.batchTooLarge(most)
    for (const [index, message] of batch.entries()) {
      const failure = messageError(message)
      if (failure !== undefined) return TEXT.batchItem(index, failure)
    }
    return undefined
  }

export const sendRules = [
  required(TEXT.objectMissing),
  notNull('message', TEXT.messageMissing),
  notNull('appId', TEXT.appIdMissing),
  validMessage,
  notBlank('appId', TEXT.sendApplicationUnknown('')),
]
export const batchRules = (most: number) => [
  required(TEXT.objectMissing),
  notNull('batch', TEXT.batchMissing),
  notNull('appId', TEXT.appIdMissing),
  validBatch(most),
  notBlank('appId', TEXT.sendApplicationUnknown('')),
]
