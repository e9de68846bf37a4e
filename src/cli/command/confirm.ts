import type { CliContext } from './command.ts'
import { askLine } from './prompt.ts'

/** Asks a question; true only for the answer `y`. Reads one line: what the user types after it stays in the terminal
 *  for the next program. */
export async function confirm(context: CliContext, question: string): Promise<boolean> {
  return (await askLine(context, `${question} [y/N] `)).toLowerCase() === 'y'
}

/** The question below every warning of a prune. */
export const continueQuestion = 'Are you sure you want to continue?'
