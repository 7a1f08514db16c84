#!/usr/bin/env node
import { commands, usage } from './commands.ts';

const [name, ...args] = process.argv.slice(2);
const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
if (command !== undefined) {
  const run = await command.load();
  process.exit(await run(args));
} else if (name === undefined || name === 'help' || name === '--help') {
  process.stdout.write(usage());
} else if (name === 'version' || name === '--version') {
  process.stdout.write(`holdfast ${(await import('@holdfast/sidecar')).version}\n`);
} else {
  process.stderr.write(`holdfast: no command "${name}"\n${usage()}`);
  process.exitCode = 2;
}
