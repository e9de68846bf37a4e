import type { BuildEvent } from '../../api/index.ts'
import { isBerthError, messageOf } from '../../base/index.ts'

/** The error that ended a build, for clients that read events. */
export function errorEvent(error: unknown): BuildEvent {
  const { file, line, column } = (isBerthError(error) ? error.details : {}) as Readonly<Record<string, unknown>>
  const { excerpt, exitCode } = error as { readonly excerpt?: unknown; readonly exitCode?: unknown }
  return {
    type: 'error',
    message: messageOf(error),
    kind: isBerthError(error) ? error.kind : 'internal',
    ...(typeof file === 'string' ? { file } : {}),
    ...(typeof line === 'number' ? { line } : {}),
    ...(typeof column === 'number' ? { column } : {}),
    ...(typeof excerpt === 'string' ? { excerpt } : {}),
    ...(typeof exitCode === 'number' ? { exitCode } : {}),
  }
}
