import type { FlagSpec, FlagTable } from './flag-spec.ts';

const DEFAULT_GROUP = 'Flags';

/** The text of `--help`. */
export function flagsHelp(table: FlagTable, program: string): string {
  const lines = [`Usage of ${program}:`];
  for (const [group, flags] of byGroup(table)) {
    lines.push('', `${group}:`);
    for (const [name, spec] of flags) {
      const letter = spec.shorthand === undefined || spec.shorthand === name ? '' : `-${spec.shorthand}, `;
      lines.push(`  ${letter}${dashed(name)}${placeholder(spec)}`, `        ${describe(spec)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** The flags as a Markdown table, for the program's page, with its columns aligned. */
export function flagsMarkdown(table: FlagTable): string {
  const rows = [...byGroup(table)].flatMap(([, flags]) =>
    flags.map(([name, spec]) => [`\`${dashed(name)}\``, spec.type, defaultCell(spec), cell(meaning(spec))]),
  );
  const header = ['Flag', 'Type', 'Default', 'Meaning'];
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = line(widths.map((width) => '-'.repeat(width)));
  return `${[line(header), rule, ...rows.map(line)].join('\n')}\n`;
}

function byGroup(table: FlagTable): Map<string, [string, FlagSpec][]> {
  const shown = Object.entries(table).filter(([, spec]) => spec.isHidden !== true);
  const groups = Map.groupBy(shown, ([, spec]) => spec.group ?? DEFAULT_GROUP);
  // A program's own flags first, then the shared groups in the order of the table.
  return new Map([...groups].sort(([a], [b]) => Number(b === DEFAULT_GROUP) - Number(a === DEFAULT_GROUP)));
}

function dashed(name: string): string {
  return name.length === 1 ? `-${name}, --${name}` : `--${name}`;
}

function placeholder(spec: FlagSpec): string {
  if (spec.type === 'bool') return '';
  if (spec.type === 'map') return ' key:value,…';
  return spec.type === 'gates' ? ' Gate=true|false,…' : ` ${spec.type}`;
}

function describe(spec: FlagSpec): string {
  const shown = defaultText(spec);
  return `${meaning(spec)}${shown === '' ? '' : ` (default ${shown})`}`;
}

function meaning(spec: FlagSpec): string {
  const deprecated = spec.deprecated === undefined ? '' : `Deprecated: ${spec.deprecated}. `;
  return `${deprecated}${spec.help}${spec.type === 'gates' ? gateList(spec.gates) : ''}`;
}

function gateList(gates: Readonly<Record<string, { default: boolean; stage: string }>>): string {
  const texts = Object.entries(gates).map(([name, gate]) => `${name} (${gate.stage}, ${gate.default})`);
  return texts.length === 0 ? '' : ` Gates: ${texts.join(', ')}.`;
}

function defaultText(spec: FlagSpec): string {
  if (spec.shownDefault !== undefined) return spec.shownDefault;
  if (spec.type === 'gates' || spec.type === 'map') return '';
  if (spec.type === 'bool') return spec.default ? 'true' : '';
  return String(spec.default);
}

function defaultCell(spec: FlagSpec): string {
  const text = spec.type === 'bool' && spec.shownDefault === undefined ? String(spec.default) : defaultText(spec);
  return text === '' ? '' : `\`${text}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
