// Every source file opens with a comment that says what it is; this finds those that do not.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const SOURCES = ['{packages,services}/*/{src,test}/**/*.ts', 'scripts/**/*.{ts,mjs,mts}', 'bench/**/*.{ts,mjs}', '*.ts']
const NOT_OURS = ['packages/store/src/generated/**']

export function findUnopened(root: string): string[] {
  const paths = globSync(SOURCES, { cwd: root, exclude: NOT_OURS })
  return paths
    .filter((path) => !opens(readFileSync(join(root, path), 'utf8')))
    .map((path) => `${path} does not say what it is`)
}

function opens(source: string): boolean {
  return /^(#!.*\n)?\/[/*]/.test(source)
}
