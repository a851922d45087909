// The check of paths in documents, on a tree made up for it: a check that finds nothing would never be noticed.
import t from 'tap'
import { brokenPaths } from '../checks/paths.ts'

const FILES = [
  'README.md',
  'docs/deploy.md',
  'packages/store/src/chunks/claims.ts',
  'packages/providers/src/apns/payload.ts',
  'packages/providers/src/fcm/payload.ts',
  'services/api-gateway/src/routes/device.ts',
]
const README = '# A server\n\n## Words, and *verbs*\n\n## Words\n\n## Words\n'

const broken = (text: string) =>
  brokenPaths(
    [
      { file: 'README.md', text: README },
      { file: 'docs/deploy.md', text },
    ],
    FILES,
  )

const there = [
  '`packages/store/src/chunks/claims.ts`',
  '`packages/store`, `packages/store/`, `chunks/claims.ts`, `claims.ts`, `chunks/`',
  '`packages/providers/src/{apns,fcm}/payload.ts`',
  '`services/api-gateway/src/routes/*.ts`, `routes/<subject>.ts`, `services/*`',
  '`node services/api-gateway/src/routes/device.ts --flag`',
  '```sh\nnpm test -- packages/store   # claims.ts\n```',
  '`POST /push/message/send`, `/swagger-ui.html`, `application/json`, `https://example.com/a.html`',
  'Without code even gone.ts is a word.',
  '[a](../packages/store/src/chunks/claims.ts) [b](../README.md#words) [c](../README.md#words-1) [d](https://a.b/c#d)',
  '[a](../README.md#words-and-verbs) [b](../packages/store)',
  '# A heading\n[above](#a-heading)',
]

const absent: [text: string, ...problems: RegExp[]][] = [
  [
    'one\n`packages/store/src/chunks/gone.ts`',
    /^docs\/deploy\.md:2: there is no packages\/store\/src\/chunks\/gone\.ts$/,
  ],
  ['`packages/gone`', /no packages\/gone$/],
  ['`store/claims.ts`', /no store\/claims\.ts$/],
  ['`aims.ts`', /no aims\.ts$/],
  ['`gone/`', /no gone\/$/],
  ['`claims.ts/`', /no claims\.ts\/$/],
  ['`packages/providers/src/{apns,hms}/payload.ts`', /no packages\/providers\/src\/hms\/payload\.ts$/],
  ['`routes/*.md`, `<subject>.sql`', /no routes\/\*\.md$/, /no <subject>\.sql$/],
  ['```sh\nnode gone.mjs\n```', /:2: there is no gone\.mjs$/],
  ['[a](gone.md)', /:1: the link to gone\.md is broken$/],
  ['[a](README.md)', /the link to README\.md is broken$/],
  ['[a](../README.md#gone)', /README\.md#gone is broken$/],
  ['[a](#gone)', /the link to #gone is broken$/],
  ['```\n# a comment\n```\n[a](#a-comment)', /#a-comment is broken$/],
]

t.test('what is there', async (t) => {
  for (const text of there) t.same(broken(text), [], text)
})

t.test('what is not there', async (t) => {
  for (const [text, ...problems] of absent) t.match(broken(text), problems, text)
})
