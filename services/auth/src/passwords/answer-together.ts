/**
 * Gives answers that are ready in one go, `everyMs` after the first of them came. On cores that are busy a crowd that is
 * refused one by one costs a change of tasks for each answer, on both sides; together it costs one for many. Whoever asks
 * again at once is slowed down as well.
 */
export function answerTogether(
  everyMs: number,
  schedule: (run: () => void, ms: number) => unknown = setTimeout,
): (answer: () => void) => void {
  let held: (() => void)[] = []
  const giveAll = (): void => {
    const answers = held
    held = []
    for (const answer of answers) answer()
  }
  return (answer) => {
    if (held.push(answer) === 1) schedule(giveAll, everyMs)
  }
}
