// `npm run generate:statements`: writes the types of the store's statements, as the migrated database gives them.
import { writeFile } from 'node:fs/promises'
import { reportStore, TYPES_FILE } from './checks/statements.ts'

const { expected, problems } = await reportStore()
for (const problem of problems) process.stderr.write(`${problem}\n`)
if (problems.length > 0) process.exitCode = 1
await writeFile(TYPES_FILE, expected)
