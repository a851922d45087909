// The page and its parts, read once from the assets folder. Its policy forbids the browser to load anything from elsewhere.
import { readdir, readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import type { FastifyPluginAsync } from 'fastify'

const FOLDER = new URL('../../assets/', import.meta.url)
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}
const HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
}

export async function openPage(): Promise<FastifyPluginAsync> {
  const names = await readdir(FOLDER)
  const files = await Promise.all(
    names.map(async (name) => ({ name, type: TYPES[extname(name)], content: await readFile(new URL(name, FOLDER)) })),
  )
  return async (app) => {
    for (const { name, type, content } of files) {
      if (!type) throw new Error(`No content type is known for the asset ${name}`)
      const path = name === 'index.html' ? '/' : `/assets/${name}`
      app.get(path, (_request, reply) => reply.headers({ ...HEADERS, 'content-type': type }).send(content))
    }
  }
}
