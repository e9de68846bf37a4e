/** Answers that several extensions use. */
import type { ExtensionAnswer } from '../model/registry-extension.ts'

/** True for the methods that only read. */
export function readOnly(method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** An answer with a JSON body. */
export function jsonAnswer(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): ExtensionAnswer {
  return { status, headers: { 'Content-Type': 'application/json', ...headers }, body: `${JSON.stringify(body)}\n` }
}

/** An answer in the form of the registry's errors. */
export function errorAnswer(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): ExtensionAnswer {
  return jsonAnswer(status, { errors: [{ code, message }] }, headers)
}

/** The answer to an unsupported method. */
export function methodNotAllowed(...allowed: readonly string[]): ExtensionAnswer {
  return errorAnswer(405, 'UNSUPPORTED', 'the operation is unsupported', { Allow: allowed.join(', ') })
}
