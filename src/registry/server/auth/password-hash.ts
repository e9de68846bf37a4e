import { hash, truncates } from 'bcryptjs'
import { invalidArgument } from '../../../base/index.ts'

/** With this cost, a check takes about a tenth of a second. */
const cost = 10

/** Makes the bcrypt hash of a password for a line of an htpasswd file. Rejects with `invalidArgument` for an empty
 *  password and for one of more than 72 bytes, because bcrypt ignores the bytes after that. */
export async function hashPassword(password: string): Promise<string> {
  if (password === '') throw invalidArgument('the password is empty')
  if (truncates(password)) throw invalidArgument('the password is longer than 72 bytes')
  return await hash(password, cost)
}
