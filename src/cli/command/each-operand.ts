/** Commands that do the same for each of their operands. */
import { messageOf } from '../../base/index.ts'
import { CliError } from './cli-error.ts'
import type { CliContext } from './command.ts'

const atOnce = 30

type Outcome = { readonly text: string } | { readonly error: unknown }

/** Runs `action` for all operands at the same time. Prints their results in order; by default, the result is the
 *  operand. A failure does not stop the others: all messages are joined into the command's error. */
export async function eachOperand(
  { output }: Pick<CliContext, 'output'>,
  operands: readonly string[],
  action: (operand: string) => Promise<unknown>,
): Promise<void> {
  const slots = Array.from(operands, () => Promise.withResolvers<Outcome>())
  let next = 0
  const worker = async (): Promise<void> => {
    for (let index = next++; index < operands.length; index = next++) {
      const operand = operands[index] ?? ''
      try {
        const text = await action(operand)
        slots[index]?.resolve({ text: typeof text === 'string' ? text : operand })
      } catch (error) {
        slots[index]?.resolve({ error })
      }
    }
  }
  const workers = Array.from({ length: Math.min(atOnce, operands.length) }, worker)
  const failures: string[] = []
  for (const { promise } of slots) {
    const done = await promise
    if ('error' in done) failures.push(messageOf(done.error))
    else if (done.text !== '') output.write(`${done.text}\n`)
  }
  await Promise.all(workers)
  if (failures.length > 0) throw new CliError(1, failures.join('\n'))
}
