/** The id of an engine, as `info` and events report it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newId } from '../../base/index.ts'

/** The id of the data root's engine. It is generated once and kept in the file `engine-id`. If a crash left that file
 *  empty, a new id is generated. */
export function engineId(dataRoot: string): string {
  const path = join(dataRoot, 'engine-id')
  const known = existsSync(path) ? readFileSync(path, 'utf8').trim() : ''
  if (known !== '') return known
  const made = newId()
  writeFileSync(path, made, { mode: 0o600 })
  return made
}
