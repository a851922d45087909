// The numbers of `npm run structure` on small trees, where they can be counted by hand.
import t from 'tap'
import { circlesOf, foldersOf, quantile, type Source } from '../structure/shape.ts'

const source = (path: string, ...imports: string[]): Source => ({ path, lines: 1, imports, prismaCalls: 0 })

t.test('a folder is as high as its longest chain of imports', async (t) => {
  const files = [source('a/top.ts', 'a/middle.ts', 'b/other.ts'), source('a/middle.ts', 'a/low.ts'), source('a/low.ts')]
  t.same(foldersOf([...files, source('b/other.ts')]), [{ folder: 'a', files: 3, floors: 3, arrows: 2 }])
  t.same(foldersOf([source('c/one.ts'), source('c/two.ts')]), [{ folder: 'c', files: 2, floors: 1, arrows: 0 }])
})

t.test('a circle names all its files once', async (t) => {
  const circle = [source('a.ts', 'b.ts'), source('b.ts', 'c.ts'), source('c.ts', 'a.ts')]
  t.same(circlesOf([...circle, source('d.ts', 'a.ts')]), [['a.ts', 'b.ts', 'c.ts']])
  t.same(circlesOf([source('a.ts', 'b.ts'), source('b.ts')]), [])
  t.equal(foldersOf(circle)[0]?.arrows, 3, 'and does not keep the floors from being counted')
})

t.test('quantiles are values that are there', async (t) => {
  t.equal(quantile([3, 1, 2], 0.5), 2)
  t.equal(quantile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.9), 10)
  t.equal(quantile([], 0.5), 0)
})
