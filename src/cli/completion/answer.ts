/** `berth __complete SHELL …`, which the shells' scripts call. The first line of the output tells the shell what to do
 *  besides offering the candidates of the other lines: `files`, `nospace` or `-`. */
import { createContext } from '../command/create-context.ts'
import type { MainOptions } from '../command/main-options.ts'
import type { Output } from '../terminal/output.ts'
import type { Candidate, Completion } from './candidate.ts'
import { complete } from './complete.ts'
import { splitLine } from './words.ts'

/** Completes a command line. bash passes the line up to the cursor, the other shells their words. */
export async function answerShell(
  [shell = '', ...args]: readonly string[],
  { output, errors }: { readonly output: Output; readonly errors: Output },
  options: MainOptions,
): Promise<void> {
  const words = shell === 'bash' ? splitLine(args[0] ?? '').slice(1) : args
  // Pressing the Tab key must not start a daemon.
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

/** `nospace` if a candidate continues: `name=`, `volume:`. */
function directive({ candidates, withFiles }: Completion): string {
  if (withFiles) return 'files'
  return candidates.length > 0 && candidates.every(({ value }) => /[=:]$/.test(value)) ? 'nospace' : '-'
}

function linesOf(shell: string, candidates: readonly Candidate[], word: string): string[] {
  const unique = [...new Map(candidates.map((candidate) => [candidate.value, candidate])).values()]
  switch (shell) {
    case 'bash': {
      // bash completes only the part behind the last of these characters.
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
