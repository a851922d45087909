// The trees of other commits: what is said of one that cannot be had. That they run is shown by `npm run test:mixed`.
import t from 'tap'
import { openTree } from '@push-server/testing'

t.test('a commit that is not there, or looks like an option, is refused with what can be done', async (t) => {
  for (const commit of ['no-such-commit', '--all'])
    await t.rejects(
      openTree(commit),
      // Of an archive without .git, of a shallow clone, of a whole one.
      /is no git clone|There is no commit .+ in this clone\. (The clone is shallow: `git fetch|If it is on another branch, `git fetch)/,
    )
})
