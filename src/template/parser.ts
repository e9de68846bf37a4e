/** Builds the tree of a Go template from its tokens: statements here, pipelines in pipeline-parser.ts. */

import { goQuote } from './go-sprintf-strings.ts'
import { unquote } from './literals.ts'
import type { Branch, Pipe, Statement } from './nodes.ts'
import { PipelineParser } from './pipeline-parser.ts'
import { isTrivial, TokenReader } from './token-reader.ts'

/** The tree of a template. */
export interface ParsedTemplate {
  readonly main: readonly Statement[]
  /** The templates that `define` and `block` made. */
  readonly named: ReadonlyMap<string, readonly Statement[]>
}

/** Parses a template. Throws `invalidArgument` with Go's text (`template: name:1: …`). `functions` are the known
 *  names. */
export function parseTemplate(template: string, name: string, functions: ReadonlySet<string>): ParsedTemplate {
  const named = new Map<string, readonly Statement[]>()
  const reader = new TokenReader(template, name)
  const main = new StatementParser(reader, functions, named).top()
  return { main, named }
}

type ListEnd = 'end' | 'else' | 'eof'

class StatementParser {
  readonly #reader: TokenReader
  readonly #functions: ReadonlySet<string>
  readonly #named: Map<string, readonly Statement[]>
  #pipelines: PipelineParser
  #rangeDepth = 0

  constructor(reader: TokenReader, functions: ReadonlySet<string>, named: Map<string, readonly Statement[]>) {
    this.#reader = reader
    this.#functions = functions
    this.#named = named
    this.#pipelines = new PipelineParser(reader, functions)
  }

  top(): readonly Statement[] {
    const { nodes, end } = this.#list({ top: true })
    if (end !== 'eof') throw this.#reader.error(`unexpected {{${end}}}`)
    return nodes
  }

  /** Reads statements up to `{{end}}`, `{{else` or the end of the template. */
  #list({ top = false }: { readonly top?: boolean } = {}): { nodes: Statement[]; end: ListEnd } {
    const nodes: Statement[] = []
    for (;;) {
      const token = this.#reader.next()
      if (token.kind === 'eof') return { nodes, end: 'eof' }
      if (token.kind === 'text') nodes.push({ kind: 'text', text: token.text })
      else if (token.kind !== 'open') throw this.#reader.unexpected(token, 'input')
      else {
        const end = this.#endOfList()
        if (end !== undefined) return { nodes, end }
        if (top && this.#isNext('define')) this.#define()
        else nodes.push(this.#action())
      }
    }
  }

  #isNext(word: string): boolean {
    const { kind, text } = this.#reader.peekNonSpace()
    return kind === 'keyword' && text === word
  }

  #endOfList(): 'end' | 'else' | undefined {
    for (const end of ['end', 'else'] as const) {
      if (!this.#isNext(end)) continue
      this.#reader.nextNonSpace()
      if (end === 'end') this.#endOfAction('end')
      return end
    }
    return undefined
  }

  #endOfAction(context: string): void {
    const token = this.#reader.nextNonSpace()
    if (token.kind !== 'close') throw this.#reader.unexpected(token, context)
  }

  #action(): Statement {
    const token = this.#reader.peekNonSpace()
    if (token.kind === 'keyword' && token.text !== 'define') {
      this.#reader.nextNonSpace()
      switch (token.text) {
        case 'if':
        case 'with':
        case 'range':
          return this.#branch(token.text)
        case 'break':
        case 'continue':
          return this.#jump(token.text)
        case 'template':
          return this.#template()
        default:
          return this.#block()
      }
    }
    const pipe = this.#pipelines.parse('command', 'close')
    return { kind: 'output', pipe }
  }

  #jump(word: 'break' | 'continue'): Statement {
    const token = this.#reader.nextNonSpace()
    if (token.kind !== 'close') throw this.#reader.unexpected(token, `{{${word}}}`)
    if (this.#rangeDepth === 0) throw this.#reader.error(`{{${word}}} outside {{range}}`)
    return { kind: word }
  }

  #branch(kind: 'if' | 'with' | 'range'): Branch {
    const scope = this.#pipelines.scope()
    const pipe = this.#pipelines.parse(kind, 'close')
    if (kind === 'range') this.#rangeDepth++
    const { nodes: body, end } = this.#list()
    if (kind === 'range') this.#rangeDepth--
    const otherwise = this.#otherwise(kind, end)
    this.#pipelines.restore(scope)
    return { kind, pipe, body, otherwise }
  }

  #otherwise(kind: Branch['kind'], end: ListEnd): readonly Statement[] | undefined {
    if (end === 'eof') throw this.#reader.error('unexpected EOF')
    if (end === 'end') return undefined
    // `{{else if …}}` is an if inside the else; one `{{end}}` closes both.
    const next = this.#reader.peekNonSpace()
    if (next.kind === 'keyword' && (next.text === 'if' || next.text === 'with')) {
      this.#reader.nextNonSpace()
      if (next.text !== kind) throw this.#reader.unexpected(next, 'input')
      return [this.#branch(next.text)]
    }
    this.#endOfAction('else')
    const { nodes, end: last } = this.#list()
    if (last === 'eof') throw this.#reader.error('unexpected EOF')
    if (last === 'else') throw this.#reader.error('expected end; found {{else}}')
    return nodes
  }

  /** Reads `{{define "x"}}…{{end}}`, which is allowed at the top level only. */
  #define(): void {
    this.#reader.nextNonSpace()
    const name = this.#name('define clause')
    this.#endOfAction('define clause')
    this.#add(name, this.#body('define clause'))
  }

  /** Adds a named template. It may replace one whose body is empty. */
  #add(name: string, body: readonly Statement[]): void {
    const known = this.#named.get(name)
    if (known !== undefined && isTrivial(body)) return
    if (known !== undefined && !isTrivial(known)) {
      throw this.#reader.error(`template: multiple definition of template ${goQuote(name)}`)
    }
    this.#named.set(name, body)
  }

  #name(context: string): string {
    const token = this.#reader.nextNonSpace()
    if (token.kind !== 'string') throw this.#reader.unexpected(token, context)
    return unquote(token.text)
  }

  /** Reads the body of a named template, which has its own variables. */
  #body(context: string): readonly Statement[] {
    const outer = this.#pipelines
    const depth = this.#rangeDepth
    this.#pipelines = new PipelineParser(this.#reader, this.#functions)
    this.#rangeDepth = 0
    const { nodes, end } = this.#list()
    if (end !== 'end') {
      const found = end === 'eof' ? 'unexpected EOF' : `unexpected {{else}} in ${context}`
      throw this.#reader.error(found)
    }
    this.#pipelines = outer
    this.#rangeDepth = depth
    return nodes
  }

  #template(): Statement {
    const { offset } = this.#reader.peekNonSpace()
    const name = this.#name('template clause')
    const pipe = this.#optionalPipe('template clause')
    return { kind: 'template', name, pipe, offset }
  }

  #optionalPipe(context: string): Pipe | undefined {
    if (this.#reader.peekNonSpace().kind === 'close') {
      this.#reader.nextNonSpace()
      return undefined
    }
    return this.#pipelines.parse(context, 'close')
  }

  /** Reads `{{block "x" .}}…{{end}}`, which defines a template and calls it. */
  #block(): Statement {
    const { offset } = this.#reader.peekNonSpace()
    const name = this.#name('block clause')
    const pipe = this.#pipelines.parse('block clause', 'close')
    const body = this.#body('block clause')
    this.#add(name, body)
    return { kind: 'template', name, pipe, offset }
  }
}
