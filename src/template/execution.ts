/** Runs a template: statements, scopes of variables, output. */
import { BerthError } from '../base/index.ts'
import { Evaluator, type Variables } from './evaluator.ts'
import { type TemplateFunction, templateFunctions } from './functions.ts'
import { formatGo } from './go-print.ts'
import { element, force, isTrue, NilCollection, sortedKeys } from './go-value.ts'
import { type Branch, type Command, type Operand, type Pipe, type Statement, showNode } from './nodes.ts'
import type { ParsedTemplate } from './parser.ts'

/** How a template runs. */
export interface ExecuteOptions {
  /** Functions for this run, in place of Go's and Docker's. */
  readonly functions?: Readonly<Record<string, TemplateFunction>>
  /** Makes a key that a map lacks an error. Without it, the key prints `<no value>`. */
  readonly missingKeyIsError?: boolean
}

type Flow = 'next' | 'break' | 'continue'

/** The limit of nested template calls. */
const depthLimit = 100_000

/** One run of a template. After an error, the output up to it is kept, because docker shows it. */
export class Execution {
  readonly #source: string
  readonly #rootName: string
  readonly #parsed: ParsedTemplate
  readonly #evaluator: Evaluator
  #variables: Variables = []
  #name: string
  #depth = 0
  #output = ''

  constructor(source: string, name: string, parsed: ParsedTemplate, options: ExecuteOptions) {
    this.#source = source
    this.#rootName = name
    this.#name = name
    this.#parsed = parsed
    this.#evaluator = new Evaluator({
      functions: options.functions ?? templateFunctions,
      missingKeyIsError: options.missingKeyIsError === true,
      fail: (node, text) => this.#error(node, text),
    })
  }

  /** Gives the output for `data`. Throws `ExecutionError`. */
  run(data: unknown): string {
    this.#variables = [{ name: '$', value: data }]
    this.#walk(this.#parsed.main, data)
    return this.#output
  }

  #walk(nodes: readonly Statement[], dot: unknown): Flow {
    for (const node of nodes) {
      const flow = this.#statement(node, dot)
      if (flow !== 'next') return flow
    }
    return 'next'
  }

  #statement(node: Statement, dot: unknown): Flow {
    switch (node.kind) {
      case 'text':
        this.#output += node.text
        return 'next'
      case 'output':
        this.#print(node.pipe, dot)
        return 'next'
      case 'template':
        this.#call(node, dot)
        return 'next'
      case 'break':
      case 'continue':
        return node.kind
      default: {
        const scope = this.#variables.length
        const flow = node.kind === 'range' ? this.#range(node, dot) : this.#branch(node, dot)
        this.#variables.length = scope
        return flow
      }
    }
  }

  #print(pipe: Pipe, dot: unknown): void {
    const value = force(this.#evaluate(pipe, dot))
    if (pipe.variables.length === 0) this.#output += value === undefined ? '<no value>' : formatGo(value)
  }

  #evaluate(pipe: Pipe, dot: unknown): unknown {
    return this.#evaluator.pipe(pipe, dot, this.#variables)
  }

  #branch(node: Branch, dot: unknown): Flow {
    const value = this.#evaluate(node.pipe, dot)
    if (isTrue(value)) return this.#walk(node.body, node.kind === 'with' ? value : dot)
    return this.#walk(node.otherwise ?? [], dot)
  }

  #range(node: Branch, dot: unknown): Flow {
    const { variables, assigns } = node.pipe
    const value = force(this.#evaluator.pipe({ ...node.pipe, variables: [] }, dot, this.#variables))
    const pairs = this.#pairs(value, node.pipe)
    for (const [key, item] of pairs) {
      const scope = this.#variables.length
      const values = variables.length === 2 ? [key, item] : [item]
      variables.forEach((name, index) => {
        if (assigns) this.#evaluator.assign(name, values[index], this.#variables)
        else this.#variables.push({ name, value: values[index] })
      })
      const flow = this.#walk(node.body, item)
      this.#variables.length = scope
      if (flow === 'break') break
    }
    return pairs.length === 0 ? this.#walk(node.otherwise ?? [], dot) : 'next'
  }

  #pairs(value: unknown, pipe: Pipe): readonly (readonly [unknown, unknown])[] {
    if (Array.isArray(value)) return value.map((item, index) => [index, element(value, item)] as const)
    if (value instanceof Map) return sortedKeys(value).map((key) => [key, element(value, value.get(key))] as const)
    if (value === undefined || value === null || value instanceof NilCollection) return []
    const last = pipe.commands.at(-1) ?? pipe
    if (typeof value === 'number' && Number.isInteger(value)) {
      if (pipe.variables.length > 1)
        throw this.#error(last, `can't use ${value} to iterate over more than one variable`)
      return Array.from({ length: Math.max(0, value) }, (_, index) => [index, index] as const)
    }
    throw this.#error(this.#evaluator.lastNode ?? last, `range can't iterate over ${formatGo(value)}`)
  }

  /** `{{template "x" .}}`: runs a template with new variables. */
  #call(node: Statement & { kind: 'template' }, dot: unknown): void {
    const body = this.#parsed.named.get(node.name)
    if (body === undefined) throw this.#error(node, `template ${JSON.stringify(node.name)} not defined`)
    if (this.#depth >= depthLimit) throw this.#error(node, `exceeded maximum template depth (${depthLimit})`)
    const data = node.pipe === undefined ? undefined : this.#evaluate(node.pipe, dot)
    const variables = this.#variables
    const name = this.#name
    this.#variables = [{ name: '$', value: data }]
    this.#name = node.name
    this.#depth++
    this.#walk(body, data)
    this.#depth--
    this.#name = name
    this.#variables = variables
  }

  #error(node: Operand | Command | Statement, text: string): Error {
    const offset = 'offset' in node ? node.offset : 0
    const before = this.#source.slice(0, offset)
    const newline = before.lastIndexOf('\n')
    const column = Buffer.byteLength(before.slice(newline + 1))
    const place = `${this.#rootName}:${before.split('\n').length}:${column}`
    const message = `template: ${place}: executing ${JSON.stringify(this.#name)} at <${showNode(node)}>: ${text}`
    return new ExecutionError(message, this.#output)
  }
}

/** The error of a template that failed while it ran. */
export class ExecutionError extends BerthError {
  /** The output up to the failure. */
  readonly output: string

  constructor(message: string, output: string) {
    super('invalidArgument', message)
    this.output = output
  }
}
