/** Calls of C functions: they are declared by their prototype and called through koffi.
 *  koffi is loaded at the first call, once per thread, so importing `sys` is cheap and works in workers.
 *  A failing call throws an Error that looks like Node's own system errors (`code`, `errno`, `syscall`, `path`). Only
 *  functions declared with `rawSyscall` return the error number instead. */
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { getSystemErrorMessage, getSystemErrorName } from 'node:util'
import type * as Koffi from 'koffi'

/** An argument of a C function: number, pointer (bigint or null), C string, memory, or array of C strings. */
export type NativeValue = number | bigint | string | null | ArrayBufferView | readonly (string | null)[]

/** A system error, with the same properties as Node's own. */
export interface SystemError extends Error {
  readonly code: string
  readonly errno: number
  readonly syscall: string
  readonly path?: string
}

let koffiModule: typeof Koffi | undefined
let process_: Koffi.LibraryHandle | undefined

/** koffi itself, for the few modules that register callbacks or allocate native memory. */
export function loadKoffi(): typeof Koffi {
  koffiModule ??= createRequire(import.meta.url)('koffi') as typeof Koffi
  return koffiModule
}

/** Declares a C function of the node binary or libc. The call returns its result unchecked. The symbol is looked up at
 *  the first call. */
export function nativeFunction<Result = number>(prototype: string): (...values: NativeValue[]) => Result {
  let call: ((...values: NativeValue[]) => Result) | undefined
  return (...values) => {
    call ??= lookUp(prototype) as (...values: NativeValue[]) => Result
    return call(...values)
  }
}

/** Declares a libc function that returns -1 and sets errno when it fails. The call then throws a SystemError. A call
 *  that a signal interrupts (EINTR) is made again. */
export function syscall(prototype: string): (...values: NativeValue[]) => number {
  const call = nativeFunction(prototype)
  const name = functionName(prototype)
  return (...values) => {
    for (;;) {
      const result = call(...values)
      if (result !== -1) return result
      const error = loadKoffi().errno()
      if (error !== errno.EINTR) throw systemError(error, name, firstPath(values))
    }
  }
}

/** Declares a libc function whose failures are part of normal work (EAGAIN). The call then returns `-errno`. */
export function rawSyscall(prototype: string): (...values: NativeValue[]) => number {
  const call = nativeFunction(prototype)
  return (...values) => {
    const result = call(...values)
    return result === -1 ? -loadKoffi().errno() : result
  }
}

/** Declares a libc function that runs in one of libuv's threads, because it may block. The promise resolves with its
 *  result, unchecked; errno is lost. Memory in the arguments must not change before. */
export function threadedFunction(prototype: string): (...values: NativeValue[]) => Promise<number> {
  let call: ReturnType<Koffi.LibraryHandle['func']> | undefined
  return (...values) => {
    call ??= library().func(prototype)
    const { async: callInThread } = call
    return new Promise((resolve, reject) => {
      callInThread(...values, (error: Error | null, result: number | bigint) => {
        if (error === null) resolve(Number(result))
        else reject(error)
      })
    })
  }
}

/** Declares functions of another library of the host by their C prototypes. The library is opened at the first call,
 *  which returns undefined when the host lacks the library or one of the functions. */
export function libraryFunctions<Name extends string>(
  file: string,
  prototypes: Readonly<Record<Name, string>>,
): () => Readonly<Record<Name, (...values: readonly unknown[]) => unknown>> | undefined {
  let opened: Readonly<Record<Name, (...values: readonly unknown[]) => unknown>> | null | undefined
  return () => {
    if (opened === undefined) {
      try {
        const handle = loadKoffi().load(file)
        const functions = Object.entries<string>(prototypes).map(([name, text]) => [name, handle.func(text)])
        opened = Object.fromEntries(functions) as NonNullable<typeof opened>
      } catch {
        opened = null
      }
    }
    return opened ?? undefined
  }
}

/** Error numbers by name, to compare with `-errno` of raw calls. */
export const errno = constants.errno

/** Builds the error for an error number, positive or negative. `call` is the name of the failed function. */
export function systemError(errorNumber: number, call: string, path?: string): SystemError {
  const number = -Math.abs(errorNumber)
  const code = errnoName(number)
  const where = path === undefined ? '' : ` '${path}'`
  const error = new Error(`${code}: ${getSystemErrorMessage(number) ?? 'unknown error'}, ${call}${where}`)
  return Object.assign(error, { code, errno: number, syscall: call, ...(path === undefined ? {} : { path }) })
}

/** libuv does not know every errno (EDQUOT); os.constants has the rest. */
function errnoName(number: number): string {
  const name = getSystemErrorName(number)
  if (/^E[A-Z0-9]+$/.test(name)) return name
  return Object.entries(errno).find(([, value]) => value === -number)?.[0] ?? `E${-number}`
}

function lookUp(prototype: string): unknown {
  return library().func(prototype)
}

function library(): Koffi.LibraryHandle {
  process_ ??= loadKoffi().load(null)
  return process_
}

function functionName(prototype: string): string {
  return /(\w+)\s*\(/.exec(prototype)?.[1] ?? prototype
}

function firstPath(values: readonly NativeValue[]): string | undefined {
  return values.find((value) => typeof value === 'string')
}
