import type { ExecConfig, ExecStartBody } from '../../api/index.ts'
import { args, name, path, readBody, type Shape, type StructMembers } from '../requests/shape.ts'

const consoleSize: Shape = { list: 'integer' }

const execConfigMembers: StructMembers = {
  User: name,
  Privileged: 'boolean',
  Tty: 'boolean',
  ConsoleSize: consoleSize,
  AttachStdin: 'boolean',
  AttachStderr: 'boolean',
  AttachStdout: 'boolean',
  DetachKeys: name,
  Env: args,
  WorkingDir: path,
  Cmd: args,
  Detach: 'boolean',
  BerthTools: 'boolean',
}

const execStartMembers: StructMembers = { Detach: 'boolean', Tty: 'boolean', ConsoleSize: consoleSize }

/** Body of `POST /containers/{id}/exec`. */
export function readExecConfig(body: unknown): ExecConfig {
  return readBody('container.ExecOptions', body, execConfigMembers)
}

/** Body of `POST /exec/{id}/start`; may be absent. */
export function readExecStart(body: unknown): ExecStartBody {
  return readBody('container.ExecStartOptions', body, execStartMembers)
}
