import type { Reporter } from 'knip'

/** Says of how many files knip knows, as lint and format say it. */
const reporter: Reporter = ({ counters }) => console.log(`Finished on ${counters.total} files`)

// What knip looks for in a reporter.
export default reporter
