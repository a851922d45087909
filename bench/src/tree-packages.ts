// Preloaded into a program of this tree's benchmarks that measures another tree: packages of ours come from there (BENCH_TREE).
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const { BENCH_TREE } = process.env
if (!BENCH_TREE) throw new Error('BENCH_TREE is required: the folder of the tree whose packages are measured')
const there = pathToFileURL(join(BENCH_TREE, 'bench/src/program.ts')).href

registerHooks({
  resolve(specifier, context, next) {
    const isFromHere = context.parentURL?.startsWith(new URL('.', import.meta.url).href)
    const isPackage = isFromHere && specifier.startsWith('@push-server/')
    return next(specifier, isPackage ? { ...context, parentURL: there } : context)
  },
})
