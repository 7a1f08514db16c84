import { runProgram } from '@holdfast/sidecar';
import { apiServerFlags, kubeletFlags } from './flags.ts';
import { runApiServer } from './run-api-server.ts';
import { runNode } from './run-node.ts';

const usage = `usage: holdfast-sandbox apiserver --kubeconfig-out=FILE [flags]   the API server and the control loops
       holdfast-sandbox kubelet --kubeconfig=FILE --node-name=NAME --root-dir=DIR [flags]   a node
       holdfast-sandbox apiserver|kubelet --help   every flag
`;

/** Runs holdfast-sandbox. @returns its exit code */
export async function main(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  if (command === undefined) {
    process.stderr.write(`holdfast-sandbox: no command\n${usage}`);
    return 2;
  }
  switch (command) {
    case 'apiserver':
      return runProgram({
        name: 'holdfast-sandbox',
        flags: apiServerFlags,
        argv: rest,
        syntax: 'pflag',
        start: runApiServer,
      });
    case 'kubelet':
      return runProgram({ name: 'holdfast-sandbox', flags: kubeletFlags, argv: rest, syntax: 'pflag', start: runNode });
    case '--help':
    case '-h':
    case 'help':
      process.stdout.write(usage);
      return 0;
    default:
      process.stderr.write(`holdfast-sandbox: unknown command "${command}"
${usage}`);
      return 2;
  }
}
