import { fileURLToPath } from 'node:url';
import { Language, type Node, Parser } from 'web-tree-sitter';

await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load(fileURLToPath(import.meta.resolve('tree-sitter-bicep/tree-sitter-bicep.wasm'))));

const KINDS: Readonly<Record<string, Kind>> = {
  parameter_declaration: 'param',
  variable_declaration: 'var',
  resource_declaration: 'resource',
  module_declaration: 'module',
  output_declaration: 'output',
  import_functionality: 'import',
};

type Kind = 'param' | 'var' | 'resource' | 'module' | 'output' | 'import';

/** One declaration of a Bicep file. */
export interface Declaration {
  readonly kind: Kind;
  readonly name: string;
  readonly node: Node;
  /** The type of a resource without its version, or the path of a module or import. */
  readonly reference: string;
  /** Whether it only names what is there already. */
  readonly existing: boolean;
  /** What it is declared as: the body of a resource, the value of a variable or output. */
  readonly value: Node | undefined;
}

/** A Bicep file as a syntax tree. */
export class BicepFile {
  readonly name: string;
  readonly root: Node;
  readonly declarations: readonly Declaration[];

  constructor(name: string, content: string) {
    const tree = parser.parse(content);
    if (!tree) throw new Error(`${name}: the parser gave up`);
    this.name = name;
    this.root = tree.rootNode;
    this.declarations = meaningful(this.root).flatMap(declarationOf);
  }

  all(kind: Kind): Declaration[] {
    return this.declarations.filter((declaration) => declaration.kind === kind);
  }

  find(name: string): Declaration | undefined {
    return this.declarations.find((declaration) => declaration.name === name);
  }

  /** The resources of a type that this file deploys. */
  deploys(type: string): Declaration[] {
    return this.all('resource').filter(({ reference, existing }) => reference === type && !existing);
  }
}

function declarationOf(node: Node): Declaration[] {
  const kind = KINDS[node.type];
  if (!kind) return [];
  const parts = meaningful(node);
  const name = parts.find(({ type }) => type === 'identifier')?.text ?? '';
  const reference = text(parts.find(({ type }) => type === 'string')) ?? '';
  return [
    {
      kind,
      name,
      node,
      reference: kind === 'resource' ? reference.replace(/@.*/, '') : reference,
      existing: node.children.some((child) => child.text === 'existing'),
      value: bodyOf(parts.at(-1)),
    },
  ];
}

/** The object itself, where it stands behind an `if` or a `for`. */
function bodyOf(node: Node | undefined): Node | undefined {
  return node?.type === 'if_statement' || node?.type === 'for_statement' ? bodyOf(meaningful(node).at(-1)) : node;
}

/** Named children without comments. */
export function meaningful(node: Node): Node[] {
  return node.namedChildren.filter(({ type }) => !type.endsWith('comment'));
}

/** A property's value by its path. */
export function at(object: Node | undefined, ...path: readonly string[]): Node | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return object;
  return at(properties(object).find(([name]) => name === key)?.[1], ...rest);
}

/** The properties of an object literal. */
export function properties(object: Node | undefined): [string, Node][] {
  if (object?.type !== 'object') return [];
  return meaningful(object).flatMap((property): [string, Node][] => {
    const [key, value] = meaningful(property);
    return key && value ? [[text(key) ?? key.text, value]] : [];
  });
}

/** The content of a string literal without interpolation. */
export function text(node: Node | undefined): string | undefined {
  if (node?.type !== 'string' || node.descendantsOfType('interpolation').length > 0) return undefined;
  return node.text.slice(1, -1);
}
