/** Questions to the user on a terminal. */
import { CliError } from './cli-error.ts'
import type { CliContext } from './command.ts'

const enter = new Set([0x0a, 0x0d])
const erase = new Set([0x08, 0x7f])
const interrupt = 0x03
const endOfInput = 0x04
const eraseLine = 0x15
/** The exit code that shells give to a program ended by Ctrl-C. */
const interruptedCode = 130

/** Asks for a line. The terminal shows what the user types. */
export async function askLine({ input, output }: CliContext, question: string): Promise<string> {
  output.write(question)
  return await readLine(input)
}

/** Asks for a secret line. The terminal does not show it. */
export async function askSecret({ input, output }: CliContext, question: string): Promise<string> {
  // This comes before the question, because a quick answer must not be shown either.
  const restore = await input.makeRaw()
  try {
    output.write(question)
    return await readLine(input)
  } finally {
    restore()
    output.write('\n')
  }
}

/** Reads one line, byte by byte if the terminal is raw. Throws when the user interrupts it. */
async function readLine(input: CliContext['input']): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const line: number[] = []
  const finish = () => resolve(Buffer.from(line).toString('utf8').trim())
  const take = (byte: number): boolean => {
    if (byte === interrupt) reject(new CliError(interruptedCode, ''))
    else if (enter.has(byte) || byte === endOfInput) finish()
    else if (byte === eraseLine) line.length = 0
    else if (erase.has(byte)) removeLast(line)
    else line.push(byte)
    return byte === interrupt || enter.has(byte) || byte === endOfInput
  }
  const stop = input.read((chunk) => chunk.some(take), finish)
  // An earlier question left the input paused.
  input.resume()
  try {
    return await promise
  } finally {
    stop()
  }
}

/** Removes one character: its last byte, and in UTF-8 the bytes before it that belong to it. */
function removeLast(line: number[]): void {
  while (((line.pop() ?? 0) & 0xc0) === 0x80);
}
