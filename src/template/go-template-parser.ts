/** Builds the tree of a Go template from its tokens. */
import { parseError, splitTemplate, type TemplatePart, type Token, unquote } from './go-template-lexer.ts'

/** What a command starts with or gets as argument. */
export type Operand =
  | { readonly kind: 'literal'; readonly value: unknown; readonly text: string; readonly offset: number }
  /** `.A.B`, `$x.A`, `(…).A`: a base and the fields after it. */
  | {
      readonly kind: 'path'
      readonly base: PathBase
      readonly fields: readonly string[]
      readonly text: string
      readonly offset: number
    }
  | { readonly kind: 'function'; readonly name: string; readonly text: string; readonly offset: number }

export type PathBase =
  | { readonly kind: 'dot' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline }

/** Commands joined by `|`, and the variables that get the result. */
export interface Pipeline {
  readonly variables: readonly string[]
  readonly assigns: boolean
  readonly commands: readonly (readonly Operand[])[]
}

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'output'; readonly pipeline: Pipeline }
  | BlockNode
  | { readonly kind: 'break' }
  | { readonly kind: 'continue' }

export interface BlockNode {
  readonly kind: 'if' | 'with' | 'range'
  readonly pipeline: Pipeline
  readonly body: readonly TemplateNode[]
  readonly otherwise: readonly TemplateNode[]
}

const blockWords = new Set(['if', 'with', 'range'])

/** Throws `invalidArgument` with Go's text (`template: :1: …`). `functions` are the known names. */
export function parseTemplate(template: string, functions: ReadonlySet<string>): readonly TemplateNode[] {
  return new TemplateParser(template, functions).parse()
}

class TemplateParser {
  readonly #template: string
  readonly #functions: ReadonlySet<string>
  readonly #parts: readonly TemplatePart[]
  readonly #variables: string[] = ['$']
  #next = 0
  #rangeDepth = 0

  constructor(template: string, functions: ReadonlySet<string>) {
    this.#template = template
    this.#functions = functions
    this.#parts = splitTemplate(template)
  }

  parse(): readonly TemplateNode[] {
    const { nodes, end } = this.#nodes()
    if (end !== undefined) throw parseError(this.#template, end.offset, `unexpected {{${end.word}}}`)
    return nodes
  }

  /** Nodes up to `end` or `else`, or to the end of the template. */
  #nodes(): { nodes: TemplateNode[]; end: { word: string; rest: readonly Token[]; offset: number } | undefined } {
    const nodes: TemplateNode[] = []
    for (;;) {
      const part = this.#parts[this.#next++]
      if (part === undefined) return { nodes, end: undefined }
      if (part.kind === 'text') {
        nodes.push(part)
        continue
      }
      const [first] = part.tokens
      if (first === undefined) throw parseError(this.#template, part.offset, 'missing value for command')
      const word = first.kind === 'identifier' ? first.text : ''
      if (word === 'end' || word === 'else')
        return { nodes, end: { word, rest: part.tokens.slice(1), offset: part.offset } }
      nodes.push(this.#action(word, part.tokens, part.offset))
    }
  }

  #action(word: string, tokens: readonly Token[], offset: number): TemplateNode {
    if (blockWords.has(word)) return this.#block(word as 'if' | 'with' | 'range', tokens.slice(1), offset)
    if (word === 'break' || word === 'continue') {
      if (this.#rangeDepth === 0) throw parseError(this.#template, offset, `{{${word}}} outside {{range}}`)
      return word === 'break' ? { kind: 'break' } : { kind: 'continue' }
    }
    if (word === 'define' || word === 'template' || word === 'block') {
      throw parseError(this.#template, offset, `{{${word}}} is not supported in a format`)
    }
    return { kind: 'output', pipeline: this.#pipeline(tokens, 'command') }
  }

  #block(kind: 'if' | 'with' | 'range', tokens: readonly Token[], offset: number): TemplateNode {
    const scope = this.#variables.length
    const pipeline = this.#pipeline(tokens, kind)
    if (kind === 'range') this.#rangeDepth++
    const { nodes: body, end } = this.#nodes()
    if (kind === 'range') this.#rangeDepth--
    if (end === undefined) throw parseError(this.#template, this.#template.length, 'unexpected EOF')
    const otherwise = end.word === 'else' ? this.#otherwise(end.rest, offset) : []
    this.#variables.length = scope
    return { kind, pipeline, body, otherwise }
  }

  #otherwise(rest: readonly Token[], offset: number): readonly TemplateNode[] {
    const [word] = rest
    // `{{else if …}}` is an if inside the else, and both are closed by one `{{end}}`.
    if (word !== undefined && (word.text === 'if' || word.text === 'with')) {
      return [this.#block(word.text, rest.slice(1), offset)]
    }
    if (word !== undefined) throw parseError(this.#template, offset, `unexpected <${word.text}> in else`)
    const { nodes, end } = this.#nodes()
    if (end === undefined) throw parseError(this.#template, this.#template.length, 'unexpected EOF')
    if (end.word !== 'end') throw parseError(this.#template, end.offset, 'expected end; found {{else}}')
    return nodes
  }

  #pipeline(tokens: readonly Token[], context: string): Pipeline {
    const { variables, assigns, rest } = this.#declaration(tokens, context)
    const reader = { tokens: rest, index: 0 }
    const pipeline = this.#commands(reader, context, rest[0]?.offset ?? 0)
    if (reader.index < rest.length) throw this.#unexpected(rest[reader.index] as Token, context)
    if (!assigns) this.#variables.push(...variables)
    return { variables, assigns, commands: pipeline }
  }

  #declaration(
    tokens: readonly Token[],
    context: string,
  ): { variables: string[]; assigns: boolean; rest: readonly Token[] } {
    const sign = tokens.findIndex((token) => token.kind === 'symbol' && (token.text === ':=' || token.text === '='))
    if (sign === -1 || tokens[0]?.kind !== 'variable') return { variables: [], assigns: false, rest: tokens }
    const names = tokens.slice(0, sign).filter((token) => token.text !== ',')
    for (const token of names) if (token.kind !== 'variable') throw this.#unexpected(token, context)
    if (names.length > (context === 'range' ? 2 : 1)) throw this.#unexpected(names.at(-1) as Token, context)
    return {
      variables: names.map(({ text }) => text),
      assigns: tokens[sign]?.text === '=',
      rest: tokens.slice(sign + 1),
    }
  }

  #commands(reader: TokenReader, context: string, offset: number): Operand[][] {
    const commands: Operand[][] = [[]]
    for (;;) {
      const token = reader.tokens[reader.index]
      const current = commands.at(-1) as Operand[]
      if (token === undefined || token.text === ')') {
        if (current.length === 0) {
          const text = commands.length === 1 ? `missing value for ${context}` : 'missing value for command'
          throw parseError(this.#template, offset, text)
        }
        return commands
      }
      if (token.kind === 'symbol' && token.text === '|') {
        if (current.length === 0) throw this.#unexpected(token, context)
        commands.push([])
        reader.index++
        continue
      }
      current.push(this.#operand(reader, context))
    }
  }

  #operand(reader: TokenReader, context: string): Operand {
    const token = reader.tokens[reader.index++] as Token
    const { offset, text } = token
    switch (token.kind) {
      case 'string':
        return { kind: 'literal', value: unquote(text), text, offset }
      case 'char':
        return { kind: 'literal', value: unquote(text).codePointAt(0) ?? 0, text, offset }
      case 'number':
        return { kind: 'literal', value: Number(text.replaceAll('_', '')), text, offset }
      case 'identifier':
        return this.#word(token)
      case 'dot':
        return { kind: 'path', base: { kind: 'dot' }, fields: [], text, offset }
      case 'field':
        return this.#path(reader, { kind: 'dot' }, [text.slice(1)], token)
      case 'variable':
        if (!this.#variables.includes(text)) throw parseError(this.#template, offset, `undefined variable "${text}"`)
        return this.#path(reader, { kind: 'variable', name: text }, [], token)
      case 'symbol':
        return this.#parenthesis(reader, token, context)
      default:
        token.kind satisfies never
        throw this.#unexpected(token, context)
    }
  }

  #word({ text, offset }: Token): Operand {
    if (text === 'true' || text === 'false') return { kind: 'literal', value: text === 'true', text, offset }
    if (text === 'nil') return { kind: 'literal', value: null, text, offset }
    if (!this.#functions.has(text)) throw parseError(this.#template, offset, `function "${text}" not defined`)
    return { kind: 'function', name: text, text, offset }
  }

  #parenthesis(reader: TokenReader, token: Token, context: string): Operand {
    if (token.text !== '(') throw this.#unexpected(token, context)
    const commands = this.#commands(reader, 'parenthesized pipeline', token.offset)
    if (reader.tokens[reader.index]?.text !== ')') throw parseError(this.#template, token.offset, 'unclosed left paren')
    reader.index++
    return this.#path(reader, { kind: 'pipeline', pipeline: { variables: [], assigns: false, commands } }, [], token)
  }

  /** Takes the `.Field`s that follow without a space. */
  #path(reader: TokenReader, base: PathBase, fields: string[], start: Token): Operand {
    for (;;) {
      const next = reader.tokens[reader.index]
      if (next === undefined || next.kind !== 'field' || next.spaced) break
      fields.push(next.text.slice(1))
      reader.index++
    }
    const head = base.kind === 'dot' ? '' : base.kind === 'variable' ? base.name : '(...)'
    return {
      kind: 'path',
      base,
      fields,
      text: `${head}${fields.map((field) => `.${field}`).join('')}`,
      offset: start.offset,
    }
  }

  #unexpected(token: Token, context: string): Error {
    return parseError(this.#template, token.offset, `unexpected <${token.text}> in ${context}`)
  }
}

interface TokenReader {
  readonly tokens: readonly Token[]
  index: number
}
