/** The worker thread that compares passwords with bcrypt hashes. A comparison takes a tenth of a second by design, and
 *  other clients of the registry must not wait for it. */
import { parentPort } from 'node:worker_threads'
import { compare } from 'bcryptjs'
import type { PasswordAnswer, PasswordQuestion } from './password-question.ts'

parentPort?.on('message', async ({ id, password, hash }: PasswordQuestion) => {
  // A malformed hash matches no password.
  const matches = await compare(password, hash).catch(() => false)
  parentPort?.postMessage({ id, matches } satisfies PasswordAnswer)
})
