// A scheduler that is killed at every step of a run: held there by a lock of the test, once while the step's statement is under
// way and once while it is being committed, so that what comes after it in the program never happens.
import pg from 'pg'
import t, { type Test } from 'tap'
import { BACKENDS, waitFor, type TestStack } from '@push-server/testing'
import { checkProgress, checkSent, follow, launch, openCrowd, startRun, USERS } from './_campaign.ts'

t.setTimeout(1_800_000)
// Most of the time they wait for a scheduler to start.
t.jobs = 2

interface Step {
  name: string
  table: 'runs' | 'run_partitions'
  event: 'INSERT' | 'UPDATE'
  when: string
  /** Resolves to whether it has happened. */
  done: string
  /** A single statement is committed though its client is gone. */
  moments: readonly Moment[]
}

const MOMENTS = ['during a statement', 'during the commit'] as const
type Moment = (typeof MOMENTS)[number]

const PARTITIONS = ['first', 'second', 'late'] as const
/** So many users that there are two and the late one. */
/** PostgreSQL must not give up a statement that the test holds, however slow the machine is. */
const SETTINGS = { CAMPAIGN_PARTITION: String(USERS / 2), DATABASE_TIMEOUT: '60s' }

const STEPS: readonly Step[] = [
  {
    name: 'the audience is divided',
    table: 'run_partitions',
    event: 'INSERT',
    when: 'true',
    done: 'SELECT count(*) = 3 AS done FROM run_partitions',
    moments: MOMENTS,
  },
  ...PARTITIONS.map((name, partition): Step => {
    const isFannedOut = `SELECT cut_at IS NOT NULL AS done FROM run_partitions WHERE partition = ${partition}`
    const when = `NEW.partition = ${partition}`
    const change = { table: 'run_partitions', event: 'UPDATE', when } as const
    return { name: `the ${name} partition is fanned out`, ...change, done: isFannedOut, moments: MOMENTS }
  }),
  {
    name: 'the fan-out is complete',
    table: 'runs',
    event: 'UPDATE',
    when: `OLD.state = 'fanning-out' AND NEW.state = 'sending'`,
    done: `SELECT state <> 'fanning-out' AS done FROM runs`,
    moments: ['during the commit'],
  },
  {
    name: 'the run settles',
    table: 'runs',
    event: 'UPDATE',
    when: `OLD.state = 'sending' AND NEW.state = 'sent'`,
    done: `SELECT state = 'sent' AS done FROM runs`,
    moments: ['during the commit'],
  },
]

const LOCK = 4711

/** A trigger of each kind waits for this lock, which the test has. */
const HOLD = `CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN PERFORM pg_advisory_xact_lock(${LOCK}); RETURN NEW; END'`
const WAITING = `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = ${LOCK} AND NOT granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`

const proxy = ({ table, event, when }: Step, moment: Moment) =>
  moment === 'during the commit'
    ? `CREATE CONSTRAINT TRIGGER gate AFTER ${event} ON ${table} DEFERRABLE INITIALLY DEFERRED
       FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION hold()`
    : `CREATE TRIGGER gate BEFORE ${event} ON ${table} FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION hold()`

interface Death {
  step: Step
  moment: Moment
  stack: TestStack
  lock: pg.Client
}

/** Starts a scheduler, kills it at the step, and lets PostgreSQL finish its statement. */
async function dieAt(t: Test, { step, moment, stack, lock }: Death): Promise<void> {
  const { database } = stack
  await lock.query(`SELECT pg_advisory_lock(${LOCK})`)
  await database.query(proxy(step, moment))
  const scheduler = launch(t, stack, 'campaign-scheduler')
  const held = await waitFor(
    `a scheduler to come to where ${step.name}`,
    async () => (await database.query<{ pid: number }>(WAITING))[0],
    60_000,
  )
  await scheduler.kill()
  await lock.query(`SELECT pg_advisory_unlock(${LOCK})`)
  await waitFor('its connection to end', async () => {
    const [row] = await database.query('SELECT pid FROM pg_stat_activity WHERE pid = $1', [held.pid])
    return row === undefined
  })
  await database.query(`DROP TRIGGER gate ON ${step.table}`)
}

async function openLock(t: Test, { database }: TestStack): Promise<pg.Client> {
  const lock = new pg.Client({ connectionString: database.url })
  await lock.connect()
  t.teardown(() => lock.end())
  await database.query(HOLD)
  return lock
}

for (const backend of BACKENDS)
  t.test(`the scheduler dies at every step on ${backend.name}: everybody once`, { skip: backend.skip }, async (t) => {
    const stack = await openCrowd(t, backend, SETTINGS)
    const lock = await openLock(t, stack)
    await stack.start('apns')
    const id = await startRun(stack)
    const following = follow(stack, id)
    const dying = async () => {
      for (const step of STEPS)
        for (const moment of step.moments) {
          await dieAt(t, { step, moment, stack, lock })
          const [row] = await stack.database.query(step.done)
          const isDone = moment === 'during the commit'
          t.same(
            row ?? { done: false },
            { done: isDone },
            `${step.name}: ${isDone ? 'kept' : 'taken back'} when it dies ${moment}`,
          )
        }
    }
    const [seen] = await Promise.all([following, dying()])
    checkProgress(t, seen)
    await checkSent(t, stack, id)
    t.equal(stack.simulator.pushes.length, USERS, 'and nobody twice')
    launch(t, stack, 'campaign-scheduler')
    await waitFor('tokens to be forgotten', async () => {
      const [row] = await stack.database.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM chunks WHERE tokens <> '{}'`,
      )
      return row?.n === 0
    })
  })
