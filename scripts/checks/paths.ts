// What the documents name of this tree: files and folders in code, targets of links, headings behind a #. One that was renamed or
// removed would mislead unseen.
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path/posix'

const DOCUMENTS = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'docs/*.md']
/** Named though they are not there: the example of a fourth platform, and what programs write. */
const ABSENT = new Set([
  'packages/providers/src/web-push/',
  'services/web-push-worker',
  'bench/results/',
  '.data/trees/',
])

const CODE = /^```[^]*?^```|`[^`\n]*`/gm
const LINK = /\]\(([^)\s]+)\)/g
const HEADING = /^#+ +(.+)$/gm

/** A name, with `*`, `<subject>` and `{apns,fcm}` for several. What follows a slash of its own is no path of the tree. */
const SEGMENT = String.raw`(?:[\w.*<>-]|\{[\w.,-]+\})+`
const TOKEN = new RegExp(String.raw`(?<![\w/.:$~@*<>{}-])${SEGMENT}(?:/${SEGMENT})*/?`, 'g')
const EXTENSION = /\.(?:ts|mts|mjs|cjs|js|css|html|svg|md|json|jsonc|yml|yaml|toml|prisma|sql|sh)$/

export interface Document {
  /** Relative to the root, as all paths are. */
  file: string
  text: string
}

/** One line for each path or heading that is not there. */
export function findBrokenPaths(root: string): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root })
  // What is removed is listed until that is committed.
  const files = listed
    .toString()
    .split('\n')
    .filter((file) => file !== '' && existsSync(join(root, file)))
  const documents = globSync(DOCUMENTS, { cwd: root }).map((file) => ({
    file,
    text: readFileSync(join(root, file), 'utf8'),
  }))
  return brokenPaths(documents, files)
}

/** `files`: every file of the tree. Pure. */
export function brokenPaths(documents: readonly Document[], files: readonly string[]): string[] {
  const tree = readTree(files)
  const anchors = new Map(documents.map(({ file, text }) => [file, anchorsOf(text)]))
  return documents.flatMap((document) => [
    ...inCode(document, tree).map(({ line, path }) => `${document.file}:${line}: there is no ${path}`),
    ...inLinks(document, tree, anchors).map(
      ({ line, path }) => `${document.file}:${line}: the link to ${path} is broken`,
    ),
  ])
}

interface Finding {
  /** The first is 1. */
  line: number
  path: string
}

interface Tree {
  /** Files, and folders with and without the slash at their end. */
  paths: ReadonlySet<string>
  /** Those paths and every end of them, as documents shorten a path. */
  ends: ReadonlySet<string>
  topFolders: ReadonlySet<string>
}

function readTree(files: readonly string[]): Tree {
  const folders = new Set(files.flatMap(foldersOf))
  const paths = new Set([...files, ...folders, ...[...folders].map((folder) => `${folder}/`)])
  const topFolders = new Set([...folders].filter((folder) => !folder.includes('/')))
  return { paths, ends: new Set([...paths].flatMap(endsOf)), topFolders }
}

function foldersOf(file: string): string[] {
  const parts = file.split('/')
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
}

function endsOf(path: string): string[] {
  const parts = path.split('/')
  return parts.map((_, index) => parts.slice(index).join('/')).filter((end) => end !== '')
}

function inCode({ text }: Document, { ends, topFolders }: Tree): Finding[] {
  const isPath = (token: string, code: string) =>
    EXTENSION.test(token) ||
    (token.endsWith('/') && code === `\`${token}\``) ||
    (token.includes('/') && topFolders.has(token.split('/')[0] ?? ''))
  const isThere = (path: string) => ABSENT.has(path) || (/[*<]/.test(path) ? matchesSome(path, ends) : ends.has(path))
  return [...text.matchAll(CODE)].flatMap(({ 0: code, index }) =>
    [...code.matchAll(TOKEN)].flatMap(({ 0: token, index: offset }) =>
      expanded(token)
        .filter((path) => isPath(path, code) && !isThere(path))
        .map((path) => ({ line: lineAt(text, index + offset), path })),
    ),
  )
}

/** `{apns,fcm}/payload.ts` as two paths. */
function expanded(token: string): string[] {
  const [, before, names, after] = /^(.*?)\{([^}]*)\}(.*)$/.exec(token) ?? []
  if (before === undefined || names === undefined || after === undefined) return [token]
  return names.split(',').flatMap((name) => expanded(before + name + after))
}

function matchesSome(path: string, ends: ReadonlySet<string>): boolean {
  const source = path.replaceAll(/<\w+>|[*.-]/g, (part) => ({ '.': String.raw`\.`, '-': '-' })[part] ?? '[^/]+')
  const pattern = new RegExp(`^${source}$`)
  return [...ends].some((end) => pattern.test(end))
}

function inLinks({ file, text }: Document, { paths }: Tree, anchors: ReadonlyMap<string, Set<string>>): Finding[] {
  const isBroken = (link: string) => {
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? file : join(dirname(file), path)
    if (!paths.has(target)) return true
    return anchor !== undefined && anchors.get(target)?.has(anchor) === false
  }
  return [...text.matchAll(LINK)].flatMap(({ 1: link = '', index }) =>
    /^\w+:/.test(link) || !isBroken(link) ? [] : [{ line: lineAt(text, index), path: link }],
  )
}

/** As GitHub derives them from the headings. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of text.replaceAll(/^```[^]*?^```/gm, '').matchAll(HEADING)) {
    const name = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-')
    let anchor = name
    for (let count = 1; anchors.has(anchor); count++) anchor = `${name}-${count}`
    anchors.add(anchor)
  }
  return anchors
}

const lineAt = (text: string, offset: number) => text.slice(0, offset).split('\n').length
