import type { ExecConfig, ExecStartBody } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'
import { type FieldTable, readFields } from '../requests/fields.ts'
import { jsonTypeOf } from '../requests/json-shape.ts'

const text = { type: 'string', zero: undefined } as const
const flag = { type: 'boolean', zero: undefined } as const
const strings = { type: 'strings', zero: undefined } as const
const list = { type: 'list', zero: undefined } as const

const execConfigFields: FieldTable = {
  User: text,
  Privileged: flag,
  Tty: flag,
  ConsoleSize: list,
  AttachStdin: flag,
  AttachStderr: flag,
  AttachStdout: flag,
  DetachKeys: text,
  Env: strings,
  WorkingDir: text,
  Cmd: strings,
  Detach: flag,
  BerthTools: flag,
}

const execStartFields: FieldTable = { Detach: flag, Tty: flag, ConsoleSize: list }

/** Body of `POST /containers/{id}/exec`. */
export function readExecConfig(body: unknown): ExecConfig {
  return readFields('ExecOptions', objectOf(body, 'ExecOptions'), execConfigFields)
}

/** Body of `POST /exec/{id}/start`; may be absent. */
export function readExecStart(body: unknown): ExecStartBody {
  return readFields('ExecStartOptions', objectOf(body, 'ExecStartOptions'), execStartFields)
}

function objectOf(body: unknown, name: string): object {
  if (body === undefined || body === null) return {}
  if (typeof body === 'object' && !Array.isArray(body)) return body
  throw invalidArgument(
    `invalid JSON: json: cannot unmarshal ${jsonTypeOf(body)} into Go value of type container.${name}`,
  )
}
