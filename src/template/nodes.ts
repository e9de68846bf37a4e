/** The nodes of a Go template's tree, and their form in messages. */

export interface Identifier {
  readonly kind: 'identifier'
  readonly name: string
  readonly offset: number
}

/** A field of dot: `.A.B`. */
export interface Field {
  readonly kind: 'field'
  readonly names: readonly string[]
  readonly offset: number
}

/** `$x.A`: a variable's name with its sign, then fields. */
export interface Variable {
  readonly kind: 'variable'
  readonly names: readonly string[]
  readonly offset: number
}

/** Fields of an expression: `(…).A`. */
export interface Chain {
  readonly kind: 'chain'
  readonly base: Pipe | Identifier
  readonly names: readonly string[]
  readonly offset: number
}

/** A string, a number, true or false. */
export interface Literal {
  readonly kind: 'string' | 'number' | 'bool'
  readonly value: unknown
  readonly text: string
  readonly offset: number
}

/** A bare `.` or `nil`. */
export interface Bare {
  readonly kind: 'dot' | 'nil'
  readonly offset: number
}

/** A word of a pipeline with its arguments. */
export interface Command {
  readonly kind: 'command'
  readonly args: readonly Operand[]
  readonly offset: number
}

/** Commands joined by `|`, and the variables that receive the result. */
export interface Pipe {
  readonly kind: 'pipe'
  readonly variables: readonly string[]
  readonly assigns: boolean
  readonly commands: readonly Command[]
  readonly offset: number
}

/** A node that has a value. */
export type Operand = Identifier | Field | Variable | Chain | Literal | Bare | Pipe

/** A statement with a condition and an optional else. */
export interface Branch {
  readonly kind: 'if' | 'with' | 'range'
  readonly pipe: Pipe
  readonly body: readonly Statement[]
  readonly otherwise: readonly Statement[] | undefined
}

/** A node at the level of text and actions. */
export type Statement =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'output'; readonly pipe: Pipe }
  | { readonly kind: 'template'; readonly name: string; readonly pipe: Pipe | undefined; readonly offset: number }
  | { readonly kind: 'break' | 'continue' }
  | Branch

/** A node as messages show it between `<` and `>`. */
export function showNode(node: Operand | Command | Statement): string {
  switch (node.kind) {
    case 'identifier':
      return node.name
    case 'field':
      return dotted(node.names)
    case 'variable':
      return node.names.join('.')
    case 'chain':
      return (node.base.kind === 'pipe' ? `(${showNode(node.base)})` : node.base.name) + dotted(node.names)
    case 'dot':
      return '.'
    case 'nil':
      return 'nil'
    case 'command':
      return node.args.map((arg) => (arg.kind === 'pipe' ? `(${showNode(arg)})` : showNode(arg))).join(' ')
    case 'pipe':
      return showPipe(node)
    case 'template':
      return `{{template ${JSON.stringify(node.name)}${node.pipe === undefined ? '' : ` ${showNode(node.pipe)}`}}}`
    case 'string':
    case 'number':
    case 'bool':
    case 'text':
      return node.text
    default:
      return `{{${node.kind}}}`
  }
}

function dotted(names: readonly string[]): string {
  return names.map((name) => `.${name}`).join('')
}

function showPipe({ variables, assigns, commands }: Pipe): string {
  const declared = variables.length === 0 ? '' : `${variables.join(', ')} ${assigns ? '=' : ':='} `
  return declared + commands.map(showNode).join(' | ')
}
