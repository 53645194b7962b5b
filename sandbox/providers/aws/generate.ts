/**
 * Writes schema.json, the table of resource types the sandbox knows, from the type declarations of the installed package:
 *
 *     node --import tsx sandbox/providers/aws/generate.ts
 *
 * The package brings no schema. Its declarations say names, types and which inputs must be set; what replaces a resource is
 * in replacements.ts. To teach the sandbox another resource type, add it there and run this again.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";
import type { ObjectType, ResourceType, Table } from "../shape/table";
import { nestedReplacements, replacements, wholeNumbers } from "./replacements";

const PACKAGE = dirname(require.resolve("@pulumi/aws/package.json"));
/** Names of inputs that every type has and that say where the resource is: changing it makes another one. */
const PLACE = "region";

/** Types that take an object or its JSON text. */
const DOCUMENTS = ["PolicyDocument"];

/** The table of some resource types and of the object types they use. */
export function tableOf(types: Record<string, string[]>): Table {
  const { version } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")) as { version: string };
  const table: Table = { version, resources: {}, objects: {} };
  const inputs = interfaces(parse("types/input.d.ts"));

  const expression = (node: ts.TypeNode): string => {
    if (ts.isTypeReferenceNode(node)) {
      const name = node.typeName.getText();
      const [argument] = node.typeArguments ?? [];
      if ((name === "pulumi.Input" || name === "Input") && argument) return expression(argument);
      if (name.startsWith("inputs.")) return reference(name.slice("inputs.".length));
      if (name.startsWith("enums.") || name === "ARN") return "string";
      // A resource where its name or ARN is wanted: the package itself takes the name.
      return "string";
    }
    if (ts.isUnionTypeNode(node)) {
      const members = node.types.filter((each) => each.kind !== ts.SyntaxKind.UndefinedKeyword);
      if (members.some((each) => DOCUMENTS.some((name) => each.getText().includes(name)))) return "json";
      return expression(members[0]!);
    }
    if (ts.isArrayTypeNode(node)) return `${expression(node.elementType)}[]`;
    if (ts.isParenthesizedTypeNode(node)) return expression(node.type);
    if (ts.isTypeLiteralNode(node)) {
      const [index] = node.members;
      if (index && ts.isIndexSignatureDeclaration(index)) return `${expression(index.type)}{}`;
    }
    const words: Partial<Record<ts.SyntaxKind, string>> = {
      [ts.SyntaxKind.StringKeyword]: "string",
      [ts.SyntaxKind.BooleanKeyword]: "boolean",
      [ts.SyntaxKind.NumberKeyword]: "number",
      [ts.SyntaxKind.AnyKeyword]: "json",
    };
    const word = words[node.kind];
    if (!word) throw new Error(`cannot write ${node.getText()} as a type expression`);
    return word;
  };

  const reference = (name: string): string => {
    const [module, local] = name.split(".") as [string, string];
    const key = `${module}/${local}:${local}`;
    const declaration = inputs.get(name);
    if (!declaration) throw new Error(`the package declares no input type ${name}`);
    if (!table.objects[key]) {
      // Entered before its properties are read: a type may contain itself.
      const entry: ObjectType = { properties: {} };
      table.objects[key] = entry;
      Object.assign(entry, properties(declaration, nestedReplacements[key] ?? []));
    }
    return key;
  };

  const properties = (declaration: ts.InterfaceDeclaration, replaced: string[]): ObjectType => {
    const found: ObjectType = { properties: {} };
    const required: string[] = [];
    for (const member of declaration.members) {
      if (!ts.isPropertySignature(member) || !member.type) continue;
      const name = member.name.getText();
      const written = expression(member.type).replace(/^number/, wholeNumbers(name) ? "integer" : "number");
      found.properties[name] = written + (replaced.includes(name) ? "!" : "");
      if (!member.questionToken) required.push(name);
    }
    const unknown = replaced.find((name) => !found.properties[name]);
    if (unknown) throw new Error(`${declaration.name.text} has no input ${unknown}; replacements.ts names one`);
    return required.length > 0 ? { ...found, required } : found;
  };

  for (const [key, replaced] of Object.entries(types)) table.resources[key] = resource(key, replaced, properties);
  const sorted = Object.entries(table.objects).sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...table, objects: Object.fromEntries(sorted) };
}

function resource(
  key: string,
  replaced: string[],
  properties: (declaration: ts.InterfaceDeclaration, replaced: string[]) => ObjectType,
): ResourceType {
  const [path = "", name = ""] = key.split(":");
  const source = parse(`${path}.d.ts`);
  const args = interfaces(source).get(`${name}Args`);
  const declared = source.statements.find((each) => ts.isClassDeclaration(each) && each.name?.text === name);
  if (!args || !declared) throw new Error(`the package declares no resource type aws:${key}`);
  const all = (declared as ts.ClassDeclaration).members.flatMap((member) =>
    ts.isPropertyDeclaration(member) && member.type?.getText().startsWith("pulumi.Output<")
      ? [member.name.getText()]
      : [],
  );
  const hasPlace = args.members.some((member) => member.name?.getText() === PLACE);
  return { ...properties(args, [...replaced, ...(hasPlace ? [PLACE] : [])]), outputs: all };
}

function parse(path: string): ts.SourceFile {
  const text = readFileSync(join(PACKAGE, path), "utf8");
  return ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
}

/** Interfaces of a file by their name, with their namespace's in front. */
function interfaces(source: ts.SourceFile): Map<string, ts.InterfaceDeclaration> {
  const found = new Map<string, ts.InterfaceDeclaration>();
  const visit = (node: ts.Node, prefix: string): void => {
    if (ts.isInterfaceDeclaration(node)) found.set(prefix + node.name.text, node);
    else if (ts.isModuleDeclaration(node))
      node.body?.forEachChild((each) => visit(each, `${prefix}${node.name.text}.`));
    else if (ts.isSourceFile(node)) node.forEachChild((each) => visit(each, prefix));
  };
  visit(source, "");
  return found;
}

if (require.main === module) {
  const target = join(__dirname, "schema.json");
  writeFileSync(target, `${JSON.stringify(tableOf(replacements), null, 2)}\n`);
  execFileSync("npx", ["biome", "check", "--write", target], { stdio: "inherit" });
}
