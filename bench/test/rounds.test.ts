// Who is measured when: both trees in every round of every case, and each goes first as often as the other.
import t from 'tap'
import { runRounds, type Case } from '../src/compare/rounds.ts'

t.test('case by case, taking turns', async (t) => {
  const order: string[] = []
  const caseOf = (tree: string, name: string): Case => ({
    name,
    measure: async () => {
      order.push(`${tree}:${name}`)
      return [{ name: 'cost', value: tree === 'ours' ? 3 : 2, better: 'lower' }]
    },
  })
  const cases = (tree: string) => [caseOf(tree, 'a'), caseOf(tree, 'b')]
  const lines: string[] = []
  const both = { ours: cases('ours'), former: cases('former') }
  const rounds = await runRounds(both, { rounds: 2, print: (line) => lines.push(line) })
  t.same(order.slice(0, 4), ['ours:a', 'former:a', 'ours:b', 'former:b'])
  t.same(order.slice(4), ['former:a', 'ours:a', 'former:b', 'ours:b'])
  t.same(
    rounds.map((each) => each.length),
    [2, 2],
  )
  t.match(rounds[1]?.[1], { ours: [{ value: 3 }], former: [{ value: 2 }] }, 'in whatever order they ran')
  t.same(lines[0], 'a, round 1 of 2: cost × 1.50')
})

t.test('cases that only one tree has', async (t) => {
  const measure = async () => []
  const both = { ours: [{ name: 'a', measure }], former: [] }
  await t.rejects(runRounds(both, { rounds: 1, print() {} }), /a is not measured of both trees/)
})
