import { demo } from './demo/demo.ts';

const usage = `usage: holdfast demo [--keep] [--kill=PROGRAM[@STEP]]
  demo   a claim's whole life, on real sockets and real mounts, from the files in deploy/examples`;

const [command, ...args] = process.argv.slice(2);
switch (command) {
  case 'demo':
    process.exit(await demo(args));
    break;
  case undefined:
  case 'help':
  case '--help':
    process.stdout.write(`${usage}\n`);
    break;
  default:
    process.stderr.write(`holdfast: no command "${command}"\n${usage}\n`);
    process.exitCode = 2;
}
