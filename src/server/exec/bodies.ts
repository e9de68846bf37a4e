import type { ExecConfig, ExecStartBody } from '../../api/index.ts'
import { type FieldTable, readFields } from '../containers/fields.ts'

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
  Cmd: { type: 'command', zero: undefined },
  Detach: flag,
  BerthTools: flag,
}

const execStartFields: FieldTable = { Detach: flag, Tty: flag, ConsoleSize: list }

/** Body of `POST /containers/{id}/exec`. */
export function readExecConfig(body: unknown): ExecConfig {
  return readFields('ExecOptions', objectOf(body), execConfigFields)
}

/** Body of `POST /exec/{id}/start`; may be absent. */
export function readExecStart(body: unknown): ExecStartBody {
  return readFields('ExecStartOptions', objectOf(body), execStartFields)
}

function objectOf(body: unknown): object {
  return typeof body === 'object' && body !== null ? body : {}
}
