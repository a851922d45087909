// Tries credentials at their provider: one push that reaches no phone, with connections and an access token of its own.
import { withDeadline } from '@push-server/runtime'
import { randomUUID } from 'node:crypto'
import { InvalidCredentials } from './credentials.ts'
import type { ApplicationCredentials, ProviderContext, ProviderKind, TrialPart } from './provider-kind.ts'
import type { Outcome, Provider, PushTarget, TokenCache } from './provider.ts'

export interface Trial {
  /** The provider takes pushes with these credentials. */
  accepted: boolean
  /** The provider's word for why not, or ours for why it is not known. */
  reason: string | null
  /** How long it took. */
  ms: number
  /** What was done, in words. */
  tried: string
}

export interface TrialOptions extends Omit<ProviderContext, 'validateOnly'> {
  /** Longest wait for the provider. */
  timeoutMs: number
}

/** An access token that was issued while the account was still good would say nothing about now. */
const FRESH_TOKENS: TokenCache = { take: (_key, _isFresh, mint) => mint() }

const MESSAGE = { body: {}, silent: true, priority: 'NORMAL' } as const

/** Does not reject for a response, for the lack of one, or for credentials that cannot be read. */
export async function runTrial(
  kind: ProviderKind,
  credentials: ApplicationCredentials,
  options: TrialOptions,
): Promise<Trial> {
  const since = performance.now()
  const finding = await find(kind, credentials, options)
  return { ...finding, ms: Math.round(performance.now() - since) }
}

type Verdict = Pick<Trial, 'accepted' | 'reason'>
type Finding = Verdict & Pick<Trial, 'tried'>

async function find(kind: ProviderKind, credentials: ApplicationCredentials, options: TrialOptions): Promise<Finding> {
  const { timeoutMs, ...context } = options
  const tokens = kind.trial.signsTokens ? context.tokens : FRESH_TOKENS
  let { tried } = kind.trial
  const unknown = (reason: string): Finding => ({ accepted: false, reason, tried })
  try {
    const parts = kind.trial.partsOf?.(credentials) ?? [{ tried }]
    tried = parts.map((part) => part.tried).join('; ')
    const provider = kind.open(credentials, { ...context, tokens, validateOnly: true })
    const stopping = new AbortController()
    const late = (): Verdict => {
      stopping.abort()
      return { accepted: false, reason: `Timeout: no response within ${timeoutMs / 1_000} s` }
    }
    const pushed = push(provider, targetsOf(kind, parts), stopping.signal)
    const verdict = await withDeadline(pushed, timeoutMs, late)
    // It waits for a request that is still under way; the result does not.
    provider.close().catch((error: unknown) => context.log.warn({ err: error }, 'provider close failed'))
    return { ...verdict, tried }
  } catch (error) {
    if (error instanceof InvalidCredentials) return unknown(`InvalidCredentials: ${error.message}`)
    throw error
  }
}

const targetsOf = ({ trial: { token } }: ProviderKind, parts: readonly TrialPart[]): PushTarget[] =>
  parts.map(({ tokenKind }) => ({ token, pushId: randomUUID(), message: 0, ...(tokenKind && { tokenKind }) }))

/** The provider takes pushes when it takes one of each part. */
async function push(provider: Provider, targets: readonly PushTarget[], signal: AbortSignal): Promise<Verdict> {
  const outcomes = targets.map((): Outcome => ({ kind: 'retry', reason: 'Unsent: no response' }))
  await provider.push(
    { messages: [MESSAGE], targets },
    { signal, settle: (index, settled) => void (outcomes[index] = settled) },
  )
  const verdicts = outcomes.map(findingOf)
  return verdicts.find(({ accepted }) => !accepted) ?? { accepted: true, reason: null }
}

/** What is said of the token says that the credentials were taken. */
export function findingOf(outcome: Outcome): Verdict {
  switch (outcome.kind) {
    case 'sent':
    case 'token-gone':
    case 'token-doubtful':
      return { accepted: true, reason: null }
    case 'failed':
    case 'retry':
    case 'credentials-error':
      return { accepted: false, reason: outcome.reason }
  }
}
