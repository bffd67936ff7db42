import { readFileSync } from 'node:fs';
import ts from 'typescript';

/** What a source file declares, as it is written: nothing is resolved here. */
export interface Declarations {
  readonly types: ReadonlyMap<string, ts.TypeAliasDeclaration | ts.InterfaceDeclaration>;
  readonly constants: ReadonlyMap<string, ts.VariableDeclaration>;
  readonly classes: ReadonlyMap<string, ts.ClassDeclaration>;
}

/** The text of a node's TSDoc, its paragraphs on one line; empty where it has none. */
export const docOf = (node: ts.Node): string => {
  const [doc] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  return (ts.getTextOfJSDocComment(doc?.comment) ?? '')
    .replace(/\{@link (\w+)\}/g, '$1')
    .replace(/\s+/g, ' ')
    .trim();
};

/** A `const` statement carries the TSDoc of its declaration. */
export const docOfConstant = (declaration: ts.VariableDeclaration): string =>
  docOf(declaration.parent.parent);

const put = <T>(into: Map<string, T>, name: string, node: T, file: string): void => {
  if (into.has(name)) throw new Error(`${file} declares ${name} a second time`);
  into.set(name, node);
};

/** Reads the top-level declarations of these files; a name stands for one thing in all of them. */
export const declarationsOf = (files: readonly string[]): Declarations => {
  const types = new Map<string, ts.TypeAliasDeclaration | ts.InterfaceDeclaration>();
  const constants = new Map<string, ts.VariableDeclaration>();
  const classes = new Map<string, ts.ClassDeclaration>();
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    for (const statement of source.statements) {
      if (ts.isTypeAliasDeclaration(statement) || ts.isInterfaceDeclaration(statement))
        put(types, statement.name.text, statement, file);
      if (ts.isClassDeclaration(statement) && statement.name !== undefined)
        put(classes, statement.name.text, statement, file);
      if (ts.isVariableStatement(statement))
        for (const declaration of statement.declarationList.declarations)
          put(constants, declaration.name.getText(), declaration, file);
    }
  }
  return { types, constants, classes };
};
