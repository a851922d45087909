// Where a word of words.ts may stand all the same, for one of three reasons. Somebody else chose it: a protocol, a library, a
// provider. It is an interface, such as a member of the API or the former name of a setting. Or it is meant in its everyday
// sense, and another word would read worse. The check refuses an exception that excuses nothing any more.
//
// These need none. Keywords such as `try` are not names, so the member `try` of a job passes with them. Names of tables and
// columns stand in statements, which are texts, and have an underscore around the words of prose. Prose in code (`like this`)
// names what is checked where it is defined.

export interface Exception {
  words: readonly string[]
  /**
   * Only in names like this one. A member has its owner before it (`Math.round`). `text` stands for a sentence of a log message
   * or of a setting, `prose` for any other. All of them when left out.
   */
  names?: RegExp
  /** A file, the beginning of its path, or a folder at any depth (`/test/`). Everywhere when left out. */
  places?: readonly string[]
  reason: string
}

export const EXCEPTIONS: readonly Exception[] = [
  // Somebody else's.
  {
    words: ['window', 'windows', 'flow'],
    places: ['packages/http2/', 'packages/simulator/src/load/', 'packages/simulator/test/'],
    reason: 'RFC 9113 calls them flow control and its windows',
  },
  { words: ['window'], names: /^timeWindow$/, reason: 'an option of @fastify/rate-limit' },
  {
    words: ['form', 'forms'],
    places: [
      'packages/contract/src/forms/',
      'services/api-gateway/',
      'services/migrate-from/',
      'scripts/checks/openapi.ts',
    ],
    reason: 'the form of a response, by the version of the reference server that a client was written for',
  },
  { words: ['try'], names: /^tryItOutEnabled$/, reason: 'an option of Swagger UI' },
  { words: ['round'], names: /^Math\.round$/, reason: 'a function of the language' },
  { words: ['repeat'], names: /^\w*\.repeat$/, reason: 'a method of String' },
  {
    words: ['round'],
    names: /round-?trip/i,
    reason: 'a round trip is what the field calls it, round trip time its measure',
  },

  // Interfaces.
  { words: ['guard'], names: /guardTripped$/, reason: 'a member of responses of the API' },
  {
    words: ['window', 'guard'],
    names: /(APNS|FCM|HMS)_WINDOW|^GUARD_/,
    reason: 'former names of settings',
  },

  // Meant in their everyday sense.
  {
    words: ['round', 'rounds'],
    places: ['bench/', '/test/'],
    reason: 'a benchmark or a test does the same in several rounds; no push is attempted again',
  },
  {
    words: ['again'],
    places: ['/test/', 'bench/src/soak/'],
    reason: 'the adverb: a second response or a second start',
  },
  {
    words: ['again', 'tries', 'try', 'sends', 'repeat', 'repeats', 'repeated'],
    names: /^text$/,
    reason: 'the adverb and the verbs, which a sentence may use',
  },
  {
    words: ['repeated'],
    places: ['packages/http2/test/'],
    reason: 'the same bytes several times in a frame',
  },
  {
    words: ['cut'],
    places: ['packages/http2/', 'packages/simulator/'],
    reason: 'a connection is cut off or a frame cut short; no audience is there',
  },
]
