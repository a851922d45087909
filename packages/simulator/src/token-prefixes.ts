// The token prefixes that make a fake misbehave: the same on every platform, with each provider's own response. Data only;
// docs/simulator.md repeats it. Tokens of iOS are hexadecimal, hence a word of hexadecimal letters followed by a status.
import type { Behaviour } from './behaviour.ts'

export interface Prefix {
  readonly prefix: string
  readonly behaviour: Behaviour
  /** Meaning of such a token, for people. */
  readonly meaning: string
}

export const PREFIX_LENGTH = 'faded000'.length

export const PREFIXES: readonly Prefix[] = [
  { prefix: 'faded400', behaviour: { status: 400 }, meaning: 'the token is not valid' },
  {
    prefix: 'faded403',
    behaviour: { status: 403 },
    meaning: 'the credentials are refused; on Android, the token is of another project',
  },
  { prefix: 'faded410', behaviour: { status: 410 }, meaning: 'the application was removed from the phone' },
  { prefix: 'faded413', behaviour: { status: 413 }, meaning: 'the notification is too large' },
  { prefix: 'faded429', behaviour: { status: 429, retryAfter: 2 }, meaning: 'too many requests, come back in 2 s' },
  { prefix: 'faded500', behaviour: { status: 500 }, meaning: 'an error inside the push service' },
  {
    prefix: 'faded503',
    behaviour: { status: 503, retryAfter: 2 },
    meaning: 'the service is overloaded, come back in 2 s',
  },
  {
    prefix: 'faded502',
    behaviour: { status: 502, body: '<html>Bad gateway</html>', headers: { 'retry-after': 'later' } },
    meaning: 'a page of some gateway instead of a response, with an unreadable header',
  },
  { prefix: 'faded000', behaviour: { failure: 'silence' }, meaning: 'no response ever arrives' },
  {
    prefix: 'faded001',
    behaviour: { failure: 'cancel' },
    meaning: 'the stream is reset: CANCEL; over HTTP/1.1, the connection is closed',
  },
  {
    prefix: 'faded002',
    behaviour: { failure: 'refuse' },
    meaning: 'the stream is reset: REFUSED_STREAM; over HTTP/1.1, the connection is closed',
  },
  { prefix: 'faded003', behaviour: { failure: 'drop' }, meaning: 'the TCP connection is cut' },
  { prefix: 'faded004', behaviour: { failure: 'goaway' }, meaning: 'accepted, and the connection sends GOAWAY' },
  {
    prefix: 'faded005',
    behaviour: { failure: 'lose' },
    meaning: 'accepted, and the TCP connection is cut before the response',
  },
  {
    prefix: 'faded006',
    behaviour: { failure: 'goaway-unread' },
    meaning: 'GOAWAY, naming the stream before as the last that was read; over HTTP/1.1, the connection is closed',
  },
  {
    prefix: 'faded007',
    behaviour: { failure: 'goaway-cut' },
    meaning: 'accepted, and the connection sends GOAWAY and is cut; over HTTP/1.1, the connection is closed',
  },
  {
    prefix: 'faded008',
    behaviour: { status: 200, body: '\u0000rubbish' },
    meaning: 'accepted, and the response is rubbish',
  },
  { prefix: 'faded009', behaviour: { status: 200, delayMs: 5000 }, meaning: 'accepted, 5 s later than others' },
]
