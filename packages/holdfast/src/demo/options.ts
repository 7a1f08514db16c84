import { type Program, programs } from './programs.ts';

/** The steps at whose beginning `--kill` can strike. */
export const steps = ['create', 'attach', 'stage', 'publish', 'remake', 'grow', 'delete'] as const;
export type Step = (typeof steps)[number];

export interface Kill {
  program: Program;
  step: Step;
}

export interface DemoOptions {
  keep: boolean;
  kills: readonly Kill[];
  help: boolean;
}

export class OptionError extends Error {}

export const usage = `usage: holdfast demo [OPTIONS]  (in the sources: npm run demo -- OPTIONS)
  --keep                 leave everything running afterwards, for kubectl; Ctrl-C cleans up
  --kill=PROGRAM[@STEP]  kill -9 a program as a step begins, and show that the claim's life goes on
                         PROGRAM: ${programs.join(', ')}
                         STEP: ${steps.join(', ')} (default: publish)
`;

function oneOf<T extends string>(what: string, value: string, known: readonly T[]): T {
  const found = known.find((candidate) => candidate === value);
  if (found === undefined) throw new OptionError(`--kill: no ${what} "${value}"; there are: ${known.join(', ')}`);
  return found;
}

function parseKill(text: string): Kill {
  const [program = '', step = 'publish'] = text.split('@', 2);
  return { program: oneOf('program', program, programs), step: oneOf('step', step, steps) };
}

/** @throws OptionError naming the argument and what is allowed. */
export function parseOptions(args: readonly string[]): DemoOptions {
  const options = { keep: false, kills: [] as Kill[], help: false };
  for (const arg of args) {
    if (arg === '--keep') options.keep = true;
    else if (arg === '--help' || arg === '-h') options.help = true;
    else if (arg.startsWith('--kill=')) options.kills.push(parseKill(arg.slice('--kill='.length)));
    else throw new OptionError(`no option "${arg}"`);
  }
  return options;
}
