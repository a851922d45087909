// Pages and documents as a browser reads them: every link is followed from where it stands.
import type { Test } from 'tap'

/** What HTML names: its base, and what it loads or leads to. */
const BASE = /<base href="([^"]*)"/
const LINKS = /<(?:a|link|script|img)\b[^>]*?\s(?:href|src)="([^"]+)"/g

/** The links of a page, whole. */
export function linksOf(page: string, url: string): string[] {
  const base = new URL(BASE.exec(page)?.[1] ?? '', url)
  return [...page.matchAll(LINKS)].map(([, link = '']) => new URL(link, base).href)
}

/** Those of another host are not ours to serve. */
const isOurs = (link: string, root: string) => new URL(link).origin === new URL(root).origin

export interface Crawled {
  /** Where the redirects have led. */
  url: string
  text: string
}

async function read(t: Test, url: string, root: string): Promise<Crawled> {
  const response = await fetch(url)
  t.equal(response.status, 200, url)
  t.ok(response.url.startsWith(`${root}/`), `${url} leads to ${response.url}, below ${root}`)
  return { url: response.url, text: await response.text() }
}

/** Links that were read already. */
const known = new Set<string>()

/** Reads the page, and everything of ours that it names and no page before it. */
export async function crawl(t: Test, url: string, root: string): Promise<Crawled> {
  const page = await read(t, url, root)
  const links = linksOf(page.text, page.url).filter((link) => isOurs(link, root))
  t.ok(links.length > 2, `${url} has ${links.length} links`)
  for (const link of links) {
    if (known.has(link)) continue
    known.add(link)
    await read(t, link, root)
  }
  return page
}
