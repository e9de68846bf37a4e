/** Parses the pipelines, commands and operands of a Go template. */
import { messageOf } from '../base/index.ts'
import { goQuote } from './go-sprintf-strings.ts'
import type { Token } from './lexer.ts'
import { parseNumber, unquote } from './literals.ts'
import { type Command, type Operand, type Pipe, showNode } from './nodes.ts'
import type { TokenReader } from './token-reader.ts'

type Closing = 'close' | ')'

/** Parses pipelines, and tracks the declared variables. */
export class PipelineParser {
  readonly #reader: TokenReader
  readonly #functions: ReadonlySet<string>
  readonly #variables: string[] = ['$']

  constructor(reader: TokenReader, functions: ReadonlySet<string>) {
    this.#reader = reader
    this.#functions = functions
  }

  /** A mark for `restore`, which removes the variables declared after it. */
  scope(): number {
    return this.#variables.length
  }

  /** Removes the variables declared after the mark. */
  restore(scope: number): void {
    this.#variables.length = scope
  }

  /** Reads a pipeline and the token that closes it. */
  parse(context: string, closing: Closing): Pipe {
    const { offset } = this.#reader.peekNonSpace()
    const { variables, assigns } = this.#declarations(context)
    const commands: Command[] = []
    for (;;) {
      const token = this.#reader.nextNonSpace()
      if (isClosing(token, closing)) {
        this.#check(commands, context)
        return { kind: 'pipe', variables, assigns, commands, offset }
      }
      if (token.kind === 'error' || token.kind === 'eof' || !canStart(token))
        throw this.#reader.unexpected(token, context)
      this.#reader.backup()
      commands.push(this.#command())
    }
  }

  /** Reads `$x :=`, `$x =` and, in a range, `$i, $x :=`. */
  #declarations(context: string): { variables: readonly string[]; assigns: boolean } {
    const variables: string[] = []
    for (;;) {
      const token = this.#reader.peekNonSpace()
      if (token.kind !== 'variable') break
      this.#reader.next()
      const hasSpace = this.#reader.peek().kind === 'space'
      const next = this.#reader.peekNonSpace()
      if (next.kind === 'symbol' && (next.text === '=' || next.text === ':=')) {
        this.#reader.nextNonSpace()
        variables.push(token.text)
        if (next.text === ':=') this.#variables.push(token.text)
        return { variables, assigns: next.text === '=' }
      }
      if (next.kind === 'symbol' && next.text === ',') {
        this.#reader.nextNonSpace()
        variables.push(token.text)
        this.#variables.push(token.text)
        const after = this.#reader.peekNonSpace()
        if (context === 'range' && variables.length < 2 && (after.kind === 'variable' || after.kind === 'close'))
          continue
        throw this.#reader.error(`too many declarations in ${context}`)
      }
      if (hasSpace) this.#reader.backup()
      this.#reader.backup()
      break
    }
    return { variables, assigns: false }
  }

  #check(commands: readonly Command[], context: string): void {
    if (commands.length === 0) throw this.#reader.error(`missing value for ${context}`)
    commands.slice(1).forEach(({ args: [first] }, index) => {
      if (first !== undefined && ['bool', 'dot', 'nil', 'number', 'string'].includes(first.kind)) {
        throw this.#reader.error(`non executable command in pipeline stage ${index + 2}`)
      }
    })
  }

  #command(): Command {
    const { offset } = this.#reader.peekNonSpace()
    const args: Operand[] = []
    for (;;) {
      this.#reader.peekNonSpace()
      const operand = this.#operand()
      if (operand !== undefined) args.push(operand)
      const token = this.#reader.next()
      if (token.kind === 'space') continue
      if (token.kind === 'close' || (token.kind === 'symbol' && token.text === ')')) this.#reader.backup()
      else if (token.kind !== 'symbol' || token.text !== '|') throw this.#reader.unexpected(token, 'operand')
      break
    }
    if (args.length === 0) throw this.#reader.error('empty command')
    return { kind: 'command', args, offset }
  }

  /** Reads a term and the fields behind it. Undefined when the next token starts neither. */
  #operand(): Operand | undefined {
    const term = this.#term()
    if (term === undefined || this.#reader.peek().kind !== 'field') return term
    const { offset } = this.#reader.peek()
    const names: string[] = []
    while (this.#reader.peek().kind === 'field') names.push(this.#reader.next().text.slice(1))
    switch (term.kind) {
      case 'field':
      case 'variable':
        return { ...term, names: [...term.names, ...names], offset }
      case 'pipe':
      case 'identifier':
        return { kind: 'chain', base: term, names, offset }
      default:
        throw this.#reader.error(`unexpected . after term ${goQuote(showNode(term))}`)
    }
  }

  #term(): Operand | undefined {
    const token = this.#reader.nextNonSpace()
    const { kind, text, offset } = token
    switch (kind) {
      case 'identifier':
        if (!this.#functions.has(text)) throw this.#reader.error(`function ${goQuote(text)} not defined`)
        return { kind, name: text, offset }
      case 'dot':
      case 'nil':
        return { kind, offset }
      case 'variable':
        if (!this.#variables.includes(text)) throw this.#reader.error(`undefined variable ${goQuote(text)}`)
        return { kind, names: [text], offset }
      case 'field':
        return { kind, names: [text.slice(1)], offset }
      case 'bool':
        return { kind, value: text === 'true', text, offset }
      case 'char':
      case 'number':
        return { kind: 'number', value: this.#number(token), text, offset }
      case 'string':
        return { kind, value: this.#unquote(text), text, offset }
      default:
    }
    if (kind === 'symbol' && text === '(') return this.parse('parenthesized pipeline', ')')
    this.#reader.backup()
    return undefined
  }

  #unquote(text: string): string {
    try {
      return unquote(text)
    } catch (error) {
      throw this.#reader.error(messageOf(error))
    }
  }

  #number({ kind, text }: Token): unknown {
    if (kind === 'number') {
      const value = parseNumber(text)
      if (value !== undefined) return value
      if (/^[+-]?\d+$/.test(text)) throw this.#reader.error(`integer overflow: ${goQuote(text)}`)
      throw this.#reader.error(`illegal number syntax: ${goQuote(text)}`)
    }
    const [first = '', ...more] = [...this.#unquote(text)]
    if (first === '') throw this.#reader.error('invalid syntax')
    if (more.length > 0) throw this.#reader.error(`malformed character constant: ${text}`)
    return first.codePointAt(0) ?? 0
  }
}

function isClosing(token: Token, closing: Closing): boolean {
  return closing === 'close' ? token.kind === 'close' : token.kind === 'symbol' && token.text === ')'
}

const starts = new Set<Token['kind']>([
  'bool',
  'char',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'string',
  'variable',
])

function canStart({ kind, text }: Token): boolean {
  return starts.has(kind) || (kind === 'symbol' && text === '(')
}
