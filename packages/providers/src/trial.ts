// Tries credentials at their provider: one push that reaches no phone, with connections and an access token of its own.
import { withDeadline } from '@push-server/runtime'
import { randomUUID } from 'node:crypto'
import { InvalidCredentials } from './credentials.ts'
import type { ApplicationCredentials, ProviderContext, ProviderKind } from './provider-kind.ts'
import type { Outcome, Provider, TokenCache } from './provider.ts'

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
  return { ...finding, ms: Math.round(performance.now() - since), tried: kind.trial.tried }
}

type Finding = Pick<Trial, 'accepted' | 'reason'>

const unknown = (reason: string): Finding => ({ accepted: false, reason })

async function find(kind: ProviderKind, credentials: ApplicationCredentials, options: TrialOptions): Promise<Finding> {
  const { timeoutMs, ...context } = options
  const tokens = kind.trial.signsTokens ? context.tokens : FRESH_TOKENS
  try {
    const provider = kind.open(credentials, { ...context, tokens, validateOnly: true })
    const stopping = new AbortController()
    const late = () => {
      stopping.abort()
      return unknown(`Timeout: no response within ${timeoutMs / 1_000} s`)
    }
    const finding = await withDeadline(push(kind, provider, stopping.signal), timeoutMs, late)
    // It waits for a request that is still under way; the result does not.
    provider.close().catch((error: unknown) => context.log.warn({ err: error }, 'provider close failed'))
    return finding
  } catch (error) {
    if (error instanceof InvalidCredentials) return unknown(`InvalidCredentials: ${error.message}`)
    throw error
  }
}

async function push(kind: ProviderKind, provider: Provider, signal: AbortSignal): Promise<Finding> {
  let outcome: Outcome = { kind: 'retry', reason: 'Unsent: no response' }
  await provider.push(
    { messages: [MESSAGE], targets: [{ token: kind.trial.token, pushId: randomUUID(), message: 0 }] },
    { signal, settle: (_index, settled) => void (outcome = settled) },
  )
  return findingOf(outcome)
}

/** What is said of the token says that the credentials were taken. */
export function findingOf(outcome: Outcome): Finding {
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
