/** `berth __complete SHELL …`: what the scripts of the shells ask. The first line tells the shell what to do beside
 *  offering the candidates of the other lines: `files`, `nospace` or `-`. */
import { createContext } from '../command/create-context.ts'
import type { MainOptions } from '../command/main-options.ts'
import type { Output } from '../terminal/output.ts'
import type { Candidate, Completion } from './candidate.ts'
import { complete } from './complete.ts'
import { splitLine } from './words.ts'

/** bash gives the line up to the cursor, the others their words. */
export async function answerShell(
  [shell = '', ...args]: readonly string[],
  { output, errors }: { readonly output: Output; readonly errors: Output },
  options: MainOptions,
): Promise<void> {
  const words = shell === 'bash' ? splitLine(args[0] ?? '').slice(1) : args
  // Nobody wants a daemon to be started by a key.
  const { onNoDaemon, ...quiet } = options
  const closers: (() => void)[] = []
  const completion = await complete(words, (globals) => {
    const { context, close } = createContext('berth', globals, { output, errors }, quiet)
    closers.push(close)
    return context
  })
  for (const close of closers) close()
  output.write(`${directive(completion)}\n${linesOf(shell, completion.candidates, words.at(-1) ?? '').join('')}`)
}

/** No space behind what goes on: `name=`, `volume:`. */
function directive({ candidates, withFiles }: Completion): string {
  if (withFiles) return 'files'
  return candidates.length > 0 && candidates.every(({ value }) => /[=:]$/.test(value)) ? 'nospace' : '-'
}

function linesOf(shell: string, candidates: readonly Candidate[], word: string): string[] {
  const unique = [...new Map(candidates.map((candidate) => [candidate.value, candidate])).values()]
  switch (shell) {
    case 'bash': {
      // bash completes only what follows the last of these.
      const known = Math.max(word.lastIndexOf(':'), word.lastIndexOf('=')) + 1
      return unique.map(({ value }) => `${value.slice(known)}\n`)
    }
    case 'zsh':
      return unique.map(({ value, description }) => {
        const name = value.replace(/[\\:]/g, '\\$&')
        return description === undefined ? `${name}\n` : `${name}:${description}\n`
      })
    default:
      return unique.map(({ value, description }) => `${value}${description === undefined ? '' : `\t${description}`}\n`)
  }
}
