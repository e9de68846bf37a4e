/** Evaluates pipelines (commands, operands, fields, calls) by Go's rules, with Go's error texts. */
import { invalidArgument, messageOf } from '../base/index.ts'
import type { ParameterType, TemplateFunction } from './functions.ts'
import {
  Boxed,
  element,
  force,
  GoFloat,
  GoStruct,
  isTrue,
  LazyValue,
  NilCollection,
  NilPointer,
  typeName,
} from './go-value.ts'
import { type Chain, type Command, type Operand, type Pipe, showNode } from './nodes.ts'

/** The variables in scope, the innermost last. */
export type Variables = { readonly name: string; value: unknown }[]

interface EvaluatorOptions {
  readonly functions: Readonly<Record<string, TemplateFunction>>
  readonly missingKeyIsError: boolean
  /** Makes an error that names the node. */
  readonly fail: (node: Operand | Command, text: string) => Error
}

/** Marks a command into which no value is piped. */
const nothing = Symbol('nothing piped')

/** Evaluates the pipelines of one run of a template. */
export class Evaluator {
  readonly #options: EvaluatorOptions
  #variables: Variables = []
  #last: Operand | Command | undefined

  constructor(options: EvaluatorOptions) {
    this.#options = options
  }

  /** The node evaluated last. Error messages of the statement around it name this node. */
  get lastNode(): Operand | Command | undefined {
    return this.#last
  }

  /** Gives the value of a pipeline, and sets its variables. */
  pipe(pipe: Pipe, dot: unknown, variables: Variables): unknown {
    this.#variables = variables
    return this.#pipe(pipe, dot)
  }

  /** Sets the innermost variable of this name. */
  assign(name: string, value: unknown, variables: Variables): void {
    const known = variables.findLast((variable) => variable.name === name)
    if (known === undefined) throw this.#failHere(`undefined variable: ${name}`)
    known.value = value
  }

  /** An error at the node evaluated last. */
  #failHere(text: string): Error {
    if (this.#last === undefined) return invalidArgument(text)
    return this.#fail(this.#last, text)
  }

  #fail(node: Operand | Command, text: string): Error {
    return this.#options.fail(node, text)
  }

  #pipe(pipe: Pipe, dot: unknown): unknown {
    let value: unknown = nothing
    this.#last = pipe
    for (const command of pipe.commands) {
      value = this.#command(command, dot, value)
      if (value instanceof Boxed) value = force(value)
    }
    for (const name of pipe.variables) {
      if (pipe.assigns) this.assign(name, value, this.#variables)
      else this.#variables.push({ name, value })
    }
    return value
  }

  /** `piped` is the result of the previous command; it becomes the last argument. */
  #command(command: Command, dot: unknown, piped: unknown): unknown {
    const [first] = command.args
    if (first === undefined) return undefined
    if (first.kind !== 'pipe') this.#last = first
    const args = command.args.slice(1)
    switch (first.kind) {
      case 'identifier':
        return this.#function(first, command, args, dot, piped)
      case 'field':
        return this.#fields(first, dot, dot, first.names, args, piped)
      case 'variable':
        return this.#variable(first, dot, args, piped)
      case 'chain':
        return this.#chain(first, dot, args, piped)
      default:
    }
    if (args.length > 0 || piped !== nothing) {
      throw this.#failHere(`can't give argument to non-function ${showNode(first)}`)
    }
    if (first.kind === 'pipe') return this.#pipe(first, dot)
    if (first.kind === 'nil') throw this.#fail(first, 'nil is not a command')
    if (first.kind === 'dot') return dot
    return 'value' in first ? first.value : undefined
  }

  #chain(node: Chain, dot: unknown, args: readonly Operand[], piped: unknown): unknown {
    this.#last = node
    const base =
      node.base.kind === 'pipe' ? this.#pipe(node.base, dot) : this.#function(node.base, node.base, [], dot, nothing)
    return this.#fields(node, dot, base, node.names, args, piped)
  }

  #variable(node: Operand & { kind: 'variable' }, dot: unknown, args: readonly Operand[], piped: unknown): unknown {
    const [name, ...names] = node.names
    const value = this.#variables.findLast((variable) => variable.name === name)?.value
    if (names.length > 0) return this.#fields(node, dot, value, names, args, piped)
    if (args.length > 0 || piped !== nothing)
      throw this.#fail(node, `can't give argument to non-function ${showNode(node)}`)
    return value
  }

  #fields(
    node: Operand,
    dot: unknown,
    base: unknown,
    names: readonly string[],
    args: readonly Operand[],
    piped: unknown,
  ): unknown {
    if (node.kind !== 'chain') this.#last = node
    let value = base
    names.forEach((name, index) => {
      const isLast = index === names.length - 1
      value = this.#field(node, dot, value, name, isLast ? args : [], isLast ? piped : nothing)
    })
    return value
  }

  #field(node: Operand, dot: unknown, owner: unknown, name: string, args: readonly Operand[], piped: unknown): unknown {
    const receiver = owner instanceof LazyValue ? owner.compute() : owner
    if (receiver === undefined) {
      if (this.#options.missingKeyIsError) throw this.#failHere(`nil data; no entry for key ${JSON.stringify(name)}`)
      return undefined
    }
    const value = force(receiver)
    if (value === null || value === undefined) {
      throw this.#failHere(
        `nil pointer evaluating ${receiver instanceof Boxed ? 'interface {}' : typeName(receiver)}.${name}`,
      )
    }
    const hasArgs = args.length > 0 || piped !== nothing
    if (value instanceof GoStruct) {
      const found = this.#structField(node, dot, value, name, args, piped)
      if (found !== undefined) return found.value
    } else if (value instanceof Map || (value instanceof NilCollection && value.kind === 'map')) {
      if (hasArgs) throw this.#failHere(`${name} is not a method but has arguments`)
      return this.#mapEntry(value, name)
    } else if (value instanceof NilPointer) {
      throw this.#failHere(`nil pointer evaluating ${value.typeName}.${name}`)
    }
    throw this.#failHere(`can't evaluate field ${name} in type ${typeName(receiver)}`)
  }

  #mapEntry(map: ReadonlyMap<string, unknown> | NilCollection, name: string): unknown {
    if (map instanceof Map && map.has(name)) return element(map, map.get(name))
    if (this.#options.missingKeyIsError) throw this.#failHere(`map has no entry for key ${JSON.stringify(name)}`)
    return undefined
  }

  #structField(
    node: Operand,
    dot: unknown,
    struct: GoStruct,
    name: string,
    args: readonly Operand[],
    piped: unknown,
  ): { readonly value: unknown } | undefined {
    const method = Object.hasOwn(struct.methods, name) ? struct.methods[name] : undefined
    if (method !== undefined) {
      const parameters = Array.from({ length: method.length }, () => 'string' as const)
      return { value: this.#call(node, node, { parameters, call: method as never }, name, args, dot, piped) }
    }
    const isField = struct.fields.has(name)
    const found = isField ? { value: struct.fields.get(name) } : struct.lookup?.(name)
    if (found === undefined) return undefined
    if (args.length > 0 || piped !== nothing) {
      // A computed field counts as a method without parameters.
      const given = args.length + (piped === nothing ? 0 : 1)
      if (found.value instanceof LazyValue)
        throw this.#failHere(`wrong number of args for ${name}: want 0 got ${given}`)
      throw this.#failHere(`${name} has arguments but cannot be invoked as function`)
    }
    return found
  }

  #function(
    node: Operand & { kind: 'identifier' },
    command: Operand | Command,
    args: readonly Operand[],
    dot: unknown,
    piped: unknown,
  ): unknown {
    const { name } = node
    this.#last = node
    const known = this.#options.functions[name]
    if (known === undefined) throw this.#fail(node, `${JSON.stringify(name)} is not a defined function`)
    return this.#call(node, command, known, name, args, dot, piped)
  }

  #call(
    node: Operand,
    command: Operand | Command,
    { parameters, variadic = false, call }: TemplateFunction,
    name: string,
    args: readonly Operand[],
    dot: unknown,
    piped: unknown,
  ): unknown {
    const given = args.length + (piped === nothing ? 0 : 1)
    const fixed = variadic ? parameters.length - 1 : parameters.length
    if (variadic ? given < fixed : given !== fixed) {
      const want = variadic ? `at least ${fixed}` : fixed
      throw this.#fail(node, `wrong number of args for ${name}: want ${want} got ${variadic ? args.length : given}`)
    }
    if (name === 'and' || name === 'or') return this.#shortCircuit(name, args, dot, piped)
    const typeAt = (index: number): ParameterType => parameters[Math.min(index, parameters.length - 1)] ?? 'any'
    const values = args.map((arg, index) => this.#argument(arg, typeAt(index), dot))
    if (piped !== nothing) values.push(this.#checked(this.#last ?? node, piped, typeAt(args.length)))
    if (name === 'call') this.#refuseCall(command, args, values)
    try {
      return call(...(values as never[]))
    } catch (error) {
      throw this.#fail(command, `error calling ${name}: ${messageOf(error)}`)
    }
  }

  #refuseCall(command: Operand | Command, args: readonly Operand[], [value]: readonly unknown[]): void {
    const known = force(value)
    if (known === undefined || known === null || args[0] === undefined) return
    throw this.#fail(command, `error calling call: non-function ${showNode(args[0])} of type ${typeName(known)}`)
  }

  #shortCircuit(name: 'and' | 'or', args: readonly Operand[], dot: unknown, piped: unknown): unknown {
    let value: unknown
    for (const arg of args) {
      value = this.#argument(arg, 'any', dot)
      if (isTrue(value) === (name === 'or')) return value
    }
    return piped === nothing ? value : piped
  }

  /** The value of an argument, checked against the type of the function's parameter. */
  #argument(node: Operand, type: ParameterType, dot: unknown): unknown {
    this.#last = node
    switch (node.kind) {
      case 'dot':
        return this.#checked(node, dot, type)
      case 'nil':
        if (type === 'any') return null
        if (type === '[]string') return []
        throw this.#fail(node, `cannot assign nil to ${type}`)
      case 'field':
        return this.#checked(node, this.#fields(node, dot, dot, node.names, [], nothing), type)
      case 'variable':
        return this.#checked(node, this.#variable(node, dot, [], nothing), type)
      case 'pipe':
        return this.#checked(node, this.#pipe(node, dot), type)
      case 'identifier':
        return this.#checked(node, this.#function(node, node, [], dot, nothing), type)
      case 'chain':
        return this.#checked(node, this.#chain(node, dot, [], nothing), type)
      default:
        return this.#literal(node, type)
    }
  }

  #literal(node: Operand & { kind: 'string' | 'number' | 'bool' }, type: ParameterType): unknown {
    if (type === 'any') return node.value
    if (type === '[]string') throw this.#fail(node, `can't handle ${showNode(node)} for arg of type []string`)
    if (type === 'string' && node.kind === 'string') return node.value
    if (type === 'int' && node.kind === 'number') {
      const value = node.value instanceof GoFloat ? node.value.value : Number(node.value)
      if (Number.isInteger(value)) return value
    }
    throw this.#fail(node, `expected ${type === 'int' ? 'integer' : type}; found ${showNode(node)}`)
  }

  #checked(node: Operand | Command, given: unknown, type: ParameterType): unknown {
    if (type === 'any') return given
    const value = force(given)
    if (value === undefined || value === null) {
      if (type === '[]string') return []
      throw this.#fail(node, `invalid value; expected ${type}`)
    }
    if (type === 'string' && typeof value === 'string') return value
    if (type === 'int' && typeof value === 'number' && Number.isInteger(value)) return value
    if (type === '[]string' && isStrings(value)) return value instanceof NilCollection ? [] : value
    throw this.#fail(node, `wrong type for value; expected ${type}; got ${typeName(value)}`)
  }
}

function isStrings(value: unknown): boolean {
  if (value instanceof NilCollection) return value.kind === 'slice'
  return Array.isArray(value) && typeName(value) === '[]string'
}
