/**
 * What users of the library see of it: every name is explained, and every type that a signature speaks of can be
 * imported by its name.
 */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Node, SyntaxKind } from 'typescript/unstable/ast';
import { type Checker, type Symbol as Name, type Project, SymbolFlags } from 'typescript/unstable/sync';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createUserProject, ROOT } from './user-project.ts';

const TYPES: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.InterfaceDeclaration,
  SyntaxKind.ClassDeclaration,
  SyntaxKind.TypeAliasDeclaration,
  SyntaxKind.EnumDeclaration,
]);

const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const project = createUserProject();
afterAll(() => project.remove());

function unaliased(name: Name, checker: Checker): Name {
  return name.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(name) : name;
}

const placeOf = (name: Name) => `${name.name} (${relative(ROOT, name.declarations[0]?.path ?? '')})`;

describe.each(Object.keys(exports))('the entry point %s', (entry) => {
  let compiled: Project;
  let names: readonly Name[];

  beforeAll(() => {
    compiled = project.compile({ 'entry.ts': `export * from 'xenscope${entry.slice(1)}';\n` });
    const { checker, program } = compiled;
    const source = program.getSourceFile(join(project.folder, 'entry.ts'))!;
    names = checker
      .getExportsOfModule(checker.getSymbolAtLocation(source)!)
      .map((name) => unaliased(name, checker));
  });

  test('explains every name that it exports', () => {
    expect(names.length).toBeGreaterThan(300);
    const silent = names.filter((name) => name.getDocumentationComment(compiled.checker) === '');
    expect(silent.map(placeOf)).toEqual([]);
  });

  test('exports every type that a signature speaks of, and speaks of no any', () => {
    const { checker } = compiled;
    const known = new Set(names.map(({ id }) => id));
    const faults: string[] = [];
    const visit = (node: Node, owner: Name): void => {
      if (isPrivate(node)) return;
      if (node.kind === SyntaxKind.AnyKeyword) faults.push(`${placeOf(owner)}: any`);
      const name = node.kind === SyntaxKind.Identifier ? checker.getSymbolAtLocation(node) : undefined;
      const type = name && unaliased(name, checker);
      if (type !== undefined && isOwnType(type) && !known.has(type.id)) {
        known.add(type.id);
        faults.push(`${placeOf(owner)}: ${placeOf(type)}`);
      }
      node.forEachChild((child) => visit(child, owner));
    };
    for (const owner of names) for (const handle of owner.declarations) visit(handle.resolve()!, owner);
    expect(faults).toEqual([]);
  });
});

/** Whether a name is a type of xenscope's: one of a dependency or of the language has its own door. */
function isOwnType({ declarations: [declaration] }: Name): boolean {
  return declaration?.path.startsWith(join(ROOT, 'dist/')) && TYPES.has(declaration.kind);
}

function isPrivate(node: Node): boolean {
  const { modifiers } = node as { modifiers?: readonly Node[] };
  return modifiers?.some(({ kind }) => kind === SyntaxKind.PrivateKeyword) ?? false;
}
