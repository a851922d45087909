// The rich message of docs/messages.md on each simulated phone, as a browser draws it; with PICTURES=write its pictures are made anew.
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright-core'
import t from 'tap'
import { waitFor } from '@push-server/testing'
import { startDemo } from './_demo.ts'
import { browserPath } from './_browser.ts'

const DOCS = join(import.meta.dirname, '../../../docs')

interface Picture {
  file: string
  /** What the name of the phone says. */
  phone: string
  /** What can be read on it. */
  shows: readonly string[]
  hides: readonly string[]
}

const TEXTS = ['Card payment', '48.20 EUR at Corner Café'] as const
const LINK = 'Opens https://bank.example/payments/7'
const PICTURES: readonly Picture[] = [
  {
    file: 'iphone.jpg',
    phone: 'iPhone of user-1',
    shows: [...TEXTS, 'Debit card 4711', 'time sensitive', '3', LINK],
    hides: ['Channel'],
  },
  {
    file: 'android.jpg',
    phone: 'Android phone of user-1',
    shows: [...TEXTS, 'Channel payments', 'high priority', LINK],
    hides: ['Debit card'],
  },
  {
    file: 'huawei.jpg',
    phone: 'Huawei phone of user-1',
    shows: [...TEXTS, 'Channel payments', LINK],
    hides: ['Debit card'],
  },
  {
    file: 'harmony.jpg',
    phone: 'HarmonyOS 5 phone of harmony-user',
    shows: [...TEXTS, 'Channel FINANCE', LINK],
    hides: ['Debit card'],
  },
]

/** The members that the guide writes into the variable of its shell. */
async function richBody(): Promise<Record<string, unknown>> {
  const guide = await readFile(join(DOCS, 'messages.md'), 'utf8')
  const [, members = ''] = /^rich='(.*?)'$/ms.exec(guide) ?? []
  return JSON.parse(`{${members}}`) as Record<string, unknown>
}

const { path, missing } = await browserPath()

t.test('each phone shows the message', { skip: missing }, async (t) => {
  const { api, phones } = await startDemo(t)
  const body = await richBody()
  const sent = await api.post('/push/message/batch/send', {
    appId: 'mobile-app',
    batch: ['user-1', 'harmony-user'].map((userId) => ({ userId, body })),
  })
  t.match(sent.body.responseObject.result, { ios: { sent: 1 }, android: { sent: 1 }, huawei: { sent: 2 } })

  const browser = await chromium.launch({ executablePath: path, args: ['--no-sandbox'] })
  t.teardown(() => browser.close())
  for (const colorScheme of ['dark', 'light'] as const) {
    const page = await browser.newPage({ colorScheme, locale: 'en-GB', viewport: { width: 1600, height: 1900 } })
    const failures = watch(page, phones)
    await page.goto(`${phones}/`)
    for (const picture of PICTURES) {
      const figure = page.locator('figure', { hasText: picture.phone })
      await waitFor(picture.phone, async () => (await figure.locator('.card').count()) === 1)
      const drawn = figure.locator('> :first-child')
      // Letters that stand small in the page may be drawn large.
      const text = (await drawn.innerText()).toLowerCase()
      const isShown = (shown: string) => text.includes(shown.toLowerCase())
      for (const shown of picture.shows) t.ok(isShown(shown), `${picture.file}: ${shown}\n${text}`)
      for (const hidden of picture.hides) t.notOk(isShown(hidden), `${picture.file} without ${hidden}`)
      const image = drawn.getByRole('img', { name: 'Picture https://bank.example/receipts/7.png' })
      t.equal(await image.count(), 1, picture.file)
      t.same(await overflowing(page, picture.phone), [], `${picture.file}: nothing sticks out of the screen`)
      if (colorScheme === 'light' && process.env['PICTURES'] === 'write')
        await drawn.screenshot({ path: join(DOCS, 'pictures', picture.file), type: 'jpeg', quality: 82 })
    }
    t.same(failures, [], colorScheme)
    await page.close()
  }
})

/** Errors of the page, and what it would load from elsewhere. */
function watch(page: Page, own: string): string[] {
  const failures: string[] = []
  page.on('pageerror', (error) => failures.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') failures.push(message.text())
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(own)) failures.push(request.url())
  })
  return failures
}

/** Parts of a phone's cards that reach beyond its screen. */
async function overflowing(page: Page, phone: string): Promise<string[]> {
  const screen = page.locator('figure', { hasText: phone }).locator('.screen')
  const edges = await screen.boundingBox()
  if (!edges) throw new Error(`${phone} is not drawn`)
  const found: string[] = []
  for (const part of await screen.locator('.card *').all()) {
    const box = await part.boundingBox()
    if (box && (box.x < edges.x || box.x + box.width > edges.x + edges.width)) found.push(await part.innerText())
  }
  return found
}

t.test('the guide shows these pictures', async (t) => {
  const guide = await readFile(join(DOCS, 'messages.md'), 'utf8')
  const named = [...guide.matchAll(/\(pictures\/([^)]+)\)/g)].map(([, file]) => file)
  t.same(
    named,
    PICTURES.map(({ file }) => file),
  )
  for (const { file } of PICTURES) await t.resolves(access(join(DOCS, 'pictures', file)), file)
})
