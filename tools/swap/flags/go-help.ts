// The flags that a Go program's `--help` tells of. Pure.

export type GoType = 'string' | 'bool' | 'int' | 'uint' | 'float' | 'duration';

export interface GoFlag {
  readonly name: string;
  /** Nothing where the help shows a word of its own in place of the type, or the type is not one of Go's. */
  readonly type: GoType | undefined;
  /** As printed; empty where the help does not show it, which means the type's zero. */
  readonly default: string;
}

export interface GoGate {
  readonly name: string;
  readonly stage: string;
  readonly default: boolean;
}

export interface GoHelp {
  readonly flags: readonly GoFlag[];
  /** Gates that are generally available are not listed by Go. */
  readonly gates: readonly GoGate[];
}

// Both `flag` ("  -name type") and pflag ("  -v, --v type   usage") begin a flag's entry so; usage lines are indented further.
const flagLine = /^ {2}(?: {4}|-\w, )?--?(?<name>[a-z][a-z0-9-]*)(?: (?<word>\S+))?(?: {2,}(?<usage>.*))?$/;
const gateLine = /^\s+(?<name>\w+)=true\|false \((?<stage>[A-Z]+) - default=(?<state>true|false)\)/;
const shownDefault = /\(default "?(?<text>[^")]*)"?\)\s*$/;

export function goHelp(text: string): GoHelp {
  const entries: { name: string; word: string; usage: string }[] = [];
  const gates: GoGate[] = [];
  for (const line of text.split('\n')) {
    const gate = gateLine.exec(line)?.groups;
    const flag = flagLine.exec(line)?.groups;
    const last = entries.at(-1);
    if (gate !== undefined) {
      gates.push({ name: gate.name ?? '', stage: gate.stage ?? '', default: gate.state === 'true' });
    } else if (flag !== undefined) {
      entries.push({ name: flag.name ?? '', word: flag.word ?? '', usage: flag.usage ?? '' });
    } else if (last !== undefined && line.trim() !== '') {
      last.usage = line;
    }
  }
  const flags = entries.map(({ name, word, usage }) => {
    return { name, type: typeOf(word), default: shownDefault.exec(usage)?.groups?.text ?? '' };
  });
  return { flags, gates };
}

const types: Readonly<Record<string, GoType>> = {
  '': 'bool',
  'boolFunc[=true]': 'bool',
  string: 'string',
  int: 'int',
  uint: 'uint',
  float: 'float',
  float32: 'float',
  duration: 'duration',
};

function typeOf(word: string): GoType | undefined {
  return types[word];
}
