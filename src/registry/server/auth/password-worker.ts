/** Worker thread that compares passwords with bcrypt hashes: a comparison takes a tenth of a second on purpose, and
 *  the registry's other clients must not wait for it. */
import { parentPort } from 'node:worker_threads'
import { compare } from 'bcryptjs'
import type { PasswordAnswer, PasswordQuestion } from './password-question.ts'

parentPort?.on('message', async ({ id, password, hash }: PasswordQuestion) => {
  // A hash that bcrypt can't read is nobody's.
  const matches = await compare(password, hash).catch(() => false)
  parentPort?.postMessage({ id, matches } satisfies PasswordAnswer)
})
