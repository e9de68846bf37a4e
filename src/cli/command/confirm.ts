import type { CliContext } from './command.ts'

/** Asks a question; true only for the answer `y`. */
export async function confirm({ input, output }: CliContext, question: string): Promise<boolean> {
  output.write(`${question} [y/N] `)
  let answer = ''
  for await (const chunk of input.chunks()) {
    answer += chunk.toString('utf8')
    if (answer.includes('\n')) break
  }
  return answer.split('\n')[0]?.trim().toLowerCase() === 'y'
}

/** The question below every warning of a prune. */
export const continueQuestion = 'Are you sure you want to continue?'
