/** Go templates for `--format`: parsed once, executed for each object. */
import { invalidArgument, messageOf } from '../base/index.ts'
import { formatGo, sortedKeys } from './go-print.ts'
import { functionNames, type TemplateFunction, templateFunctions } from './go-template-functions.ts'
import { position } from './go-template-lexer.ts'
import { type BlockNode, type Operand, type Pipeline, parseTemplate, type TemplateNode } from './go-template-parser.ts'
import { force, GoStruct, isTrue, NilCollection, typeName } from './go-value.ts'

export interface ExecuteOptions {
  /** In place of Go's and Docker's own. */
  readonly functions?: Readonly<Record<string, TemplateFunction>>
  /** A key that a map lacks is an error instead of `<no value>`. */
  readonly missingKeyIsError?: boolean
}

/** A parsed template. */
export class GoTemplate {
  readonly #source: string
  readonly #nodes: readonly TemplateNode[]

  /** Throws `invalidArgument` with Go's text (`template: :1: unclosed action`). */
  constructor(source: string) {
    this.#source = source
    this.#nodes = parseTemplate(source, functionNames)
  }

  /** The text for one object. Throws `invalidArgument` with Go's text. */
  execute(data: unknown, options: ExecuteOptions = {}): string {
    return new Execution(this.#source, data, options).run(this.#nodes)
  }
}

type Flow = 'next' | 'break' | 'continue'

interface Variable {
  readonly name: string
  value: unknown
}

class Execution {
  readonly #source: string
  readonly #functions: Readonly<Record<string, TemplateFunction>>
  readonly #missingKeyIsError: boolean
  readonly #variables: Variable[]
  #output = ''

  constructor(source: string, data: unknown, options: ExecuteOptions) {
    this.#source = source
    this.#functions = options.functions ?? templateFunctions
    this.#missingKeyIsError = options.missingKeyIsError === true
    this.#variables = [{ name: '$', value: data }]
  }

  run(nodes: readonly TemplateNode[]): string {
    this.#walk(nodes, this.#variables[0]?.value)
    return this.#output
  }

  #walk(nodes: readonly TemplateNode[], dot: unknown): Flow {
    for (const node of nodes) {
      const flow = this.#node(node, dot)
      if (flow !== 'next') return flow
    }
    return 'next'
  }

  #node(node: TemplateNode, dot: unknown): Flow {
    if (node.kind === 'text') this.#output += node.text
    else if (node.kind === 'output') this.#print(node.pipeline, dot)
    else if (node.kind === 'break' || node.kind === 'continue') return node.kind
    else {
      const scope = this.#variables.length
      const flow = node.kind === 'range' ? this.#range(node, dot) : this.#branch(node, dot)
      this.#variables.length = scope
      return flow
    }
    return 'next'
  }

  #print(pipeline: Pipeline, dot: unknown): void {
    const value = force(this.#pipeline(pipeline, dot))
    if (pipeline.variables.length === 0) this.#output += value === undefined ? '<no value>' : formatGo(value)
  }

  #branch(node: BlockNode, dot: unknown): Flow {
    const value = this.#pipeline(node.pipeline, dot)
    if (isTrue(value)) return this.#walk(node.body, node.kind === 'with' ? value : dot)
    return this.#walk(node.otherwise, dot)
  }

  #range(node: BlockNode, dot: unknown): Flow {
    const { variables } = node.pipeline
    const value = force(this.#pipeline({ ...node.pipeline, variables: [] }, dot))
    const pairs = this.#pairs(value, node.pipeline)
    if (pairs.length === 0) return this.#walk(node.otherwise, dot)
    for (const [key, item] of pairs) {
      const scope = this.#variables.length
      if (variables.length === 1) this.#declare(variables[0], item)
      if (variables.length === 2) {
        this.#declare(variables[0], key)
        this.#declare(variables[1], item)
      }
      const flow = this.#walk(node.body, item)
      this.#variables.length = scope
      if (flow === 'break') break
    }
    return 'next'
  }

  #pairs(value: unknown, pipeline: Pipeline): (readonly [unknown, unknown])[] {
    if (Array.isArray(value)) return value.map((item, index) => [index, item] as const)
    if (value instanceof Map) return sortedKeys(value).map((key) => [key, value.get(key)] as const)
    if (value === undefined || value === null || value instanceof NilCollection) return []
    if (typeof value === 'number') return Array.from({ length: value }, (_, index) => [index, index] as const)
    throw this.#error(pipeline.commands[0]?.[0], `range can't iterate over ${formatGo(value)}`)
  }

  #declare(name: string | undefined, value: unknown): void {
    if (name !== undefined) this.#variables.push({ name, value })
  }

  #pipeline(pipeline: Pipeline, dot: unknown): unknown {
    let value: unknown
    pipeline.commands.forEach((command, index) => {
      value = this.#command(command, dot, index === 0 ? [] : [value])
    })
    for (const name of pipeline.variables) {
      const known = pipeline.assigns ? this.#variables.findLast((variable) => variable.name === name) : undefined
      if (known === undefined) this.#declare(name, value)
      else known.value = value
    }
    return value
  }

  /** `piped` holds the result of the command before, which becomes the last argument. */
  #command(command: readonly Operand[], dot: unknown, piped: readonly unknown[]): unknown {
    const [first, ...rest] = command
    if (first === undefined) return undefined
    if (first.kind === 'function') return this.#call(first, rest, dot, piped)
    if (first.kind === 'path')
      return this.#path(first, dot, [...rest.map((operand) => this.#operand(operand, dot)), ...piped])
    if (rest.length > 0 || piped.length > 0)
      throw this.#error(first, `can't give argument to non-function ${first.text}`)
    return first.value
  }

  #operand(operand: Operand, dot: unknown): unknown {
    if (operand.kind === 'literal') return operand.value
    if (operand.kind === 'function') return this.#call(operand, [], dot, [])
    return this.#path(operand, dot, [])
  }

  #call(
    operand: Operand & { kind: 'function' },
    rest: readonly Operand[],
    dot: unknown,
    piped: readonly unknown[],
  ): unknown {
    const { name } = operand
    if (name === 'and' || name === 'or') return this.#shortCircuit(name, rest, dot, piped)
    const call = this.#functions[name]
    if (call === undefined) throw this.#error(operand, `function "${name}" not defined`)
    const args = [...rest.map((item) => this.#operand(item, dot)), ...piped]
    try {
      return call(...args)
    } catch (error) {
      throw this.#error(operand, `error calling ${name}: ${messageOf(error)}`)
    }
  }

  #shortCircuit(name: 'and' | 'or', rest: readonly Operand[], dot: unknown, piped: readonly unknown[]): unknown {
    let value: unknown
    for (const operand of rest) {
      value = this.#operand(operand, dot)
      if (isTrue(value) === (name === 'or')) return value
    }
    return piped.length > 0 ? piped[0] : value
  }

  #path(operand: Operand & { kind: 'path' }, dot: unknown, args: readonly unknown[]): unknown {
    const { base, fields } = operand
    let value: unknown
    if (base.kind === 'dot') value = dot
    else if (base.kind === 'pipeline') value = this.#pipeline(base.pipeline, dot)
    else value = this.#variables.findLast((variable) => variable.name === base.name)?.value
    fields.forEach((field, index) => {
      value = this.#field(operand, force(value), field, index === fields.length - 1 ? args : [])
    })
    if (fields.length === 0 && args.length > 0)
      throw this.#error(operand, `can't give argument to non-function ${operand.text || '.'}`)
    return value
  }

  #field(operand: Operand, value: unknown, field: string, args: readonly unknown[]): unknown {
    if (value instanceof GoStruct) return this.#structField(operand, value, field, args)
    if (args.length > 0) throw this.#error(operand, `${field} is not a method but has arguments`)
    if (value instanceof Map || (value instanceof NilCollection && value.kind === 'map')) {
      if (value instanceof Map && value.has(field)) return value.get(field)
      if (this.#missingKeyIsError) throw this.#error(operand, `map has no entry for key "${field}"`)
      return undefined
    }
    if (value === null || value === undefined)
      throw this.#error(operand, `nil pointer evaluating interface {}.${field}`)
    throw this.#error(
      operand,
      `can't evaluate field ${field} in type ${this.#missingKeyIsError ? 'interface {}' : typeName(value)}`,
    )
  }

  #structField(operand: Operand, struct: GoStruct, field: string, args: readonly unknown[]): unknown {
    const method = struct.methods[field]
    if (method !== undefined) {
      if (args.length !== method.length) {
        throw this.#error(operand, `wrong number of args for ${field}: want ${method.length} got ${args.length}`)
      }
      return method(...args.map((arg) => String(force(arg))))
    }
    if (struct.fields.has(field)) {
      if (args.length > 0) throw this.#error(operand, `wrong number of args for ${field}: want 0 got ${args.length}`)
      return struct.fields.get(field)
    }
    const found = struct.lookup?.(field)
    if (found === undefined) throw this.#error(operand, `can't evaluate field ${field} in type ${struct.typeName}`)
    return found.value
  }

  #error(operand: Operand | undefined, text: string): Error {
    const offset = operand?.offset ?? 0
    const extra = operand?.kind === 'path' && operand.fields.length > 1 ? (operand.fields[0]?.length ?? 0) + 1 : 0
    const shown = operand?.kind === 'function' ? this.#source.slice(offset).split(/\s*[|}]/)[0] : operand?.text
    return invalidArgument(
      `template: ${position(this.#source, offset + extra)}: executing "" at <${shown || '.'}>: ${text}`,
    )
  }
}
