// `npm run conformance`: the conformance items that can be seen from outside, against the server of CONFORMANCE_URL (that of
// `npm start` by default). CONFORMANCE_KEY is a key with every scope, CONFORMANCE_APP an application with credentials for all
// platforms. It leaves applications, devices and messages behind.
import { runTap } from './testing/tap.ts'

const FILE = 'services/api-gateway/test/conformance.test.ts'
const interruption = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interruption.abort())
const url = process.env.CONFORMANCE_URL ?? 'http://127.0.0.1:8080'
const env = { ...process.env, CONFORMANCE_URL: url.replace(/\/$/, '') }
const { passed, failed } = await runTap({ files: [FILE], coverage: false, env, signal: interruption.signal })
process.stdout.write(`${url}: ${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1
