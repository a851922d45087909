// Rounds in turn: each case is measured on one tree and at once on the other, and who goes first changes with the round, so that
// whatever disturbs the machine, or follows from what ran before, disturbs both.
import type { Figure, Round } from './figures.ts'

/** What is measured by itself, such as one client or one back end of the queue. */
export interface Case {
  name: string
  measure(): Promise<readonly Figure[]>
}

export interface Cases {
  ours: readonly Case[]
  former: readonly Case[]
}

export interface RoundsOptions {
  rounds: number
  print(line: string): void
}

/** The rounds of each case, in the order of the cases. */
export async function runRounds({ ours, former }: Cases, { rounds, print }: RoundsOptions): Promise<Round[][]> {
  const done: Round[][] = ours.map(() => [])
  for (let round = 1; round <= rounds; round++)
    for (const [place, ourCase] of ours.entries()) {
      const formerCase = former[place]
      if (formerCase?.name !== ourCase.name) throw new Error(`${ourCase.name} is not measured of both trees`)
      const measured = await measureBoth(ourCase, formerCase, round % 2 === 1)
      done[place]?.push(measured)
      print(`${ourCase.name}, round ${round} of ${rounds}: ${ratiosOf(measured)}`)
    }
  return done
}

async function measureBoth(ourCase: Case, formerCase: Case, isOursFirst: boolean): Promise<Round> {
  if (isOursFirst) {
    const ours = await ourCase.measure()
    return { ours, former: await formerCase.measure() }
  }
  const former = await formerCase.measure()
  return { ours: await ourCase.measure(), former }
}

const ratiosOf = ({ ours, former }: Round) =>
  ours.map(({ name, value }, place) => `${name} × ${(value / (former[place]?.value ?? NaN)).toFixed(2)}`).join(' · ')
