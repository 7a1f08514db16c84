import { demo } from './demo/demo.ts';
import { newDriver } from './new/new-driver.ts';

const usage = `usage: holdfast demo [--keep] [--kill=PROGRAM[@STEP]]
       holdfast new driver NAME [FOLDER]
  demo   a claim's whole life, on real sockets and real mounts, from the files in deploy/examples
  new    writes the package of a CSI driver of your own`;

const [command, ...args] = process.argv.slice(2);
switch (command) {
  case 'demo':
    process.exit(await demo(args));
    break;
  case 'new':
    process.exitCode = await newDriver(args);
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
