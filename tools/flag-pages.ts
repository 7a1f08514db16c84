import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { driverFlags } from '../packages/driver/src/index.ts';
import { attacherFlags } from '../packages/external-attacher/src/index.ts';
import { provisionerFlags } from '../packages/external-provisioner/src/index.ts';
import { resizerFlags } from '../packages/external-resizer/src/index.ts';
import { controllers } from '../packages/holdfast/src/process/controllers.ts';
import { node } from '../packages/holdfast/src/process/node.ts';
import { livenessFlags } from '../packages/livenessprobe/src/index.ts';
import { registrarFlags } from '../packages/node-driver-registrar/src/index.ts';

const folder = join(import.meta.dirname, '..', 'docs', 'flags');

const programs: Readonly<Record<string, { markdown(): string }>> = {
  'csi-provisioner': provisionerFlags,
  'csi-attacher': attacherFlags,
  'csi-resizer': resizerFlags,
  'csi-node-driver-registrar': registrarFlags,
  livenessprobe: livenessFlags,
  'holdfast-driver': driverFlags,
  'holdfast controllers': controllers.flags,
  'holdfast node': node.flags,
};

function page(program: string, flags: { markdown(): string }): string {
  return `# Flags of ${program}\n\nMade from the program's flag table by \`npm run generate\`.\n\n${flags.markdown().trim()}\n`;
}

/**
 * Writes docs/flags/PROGRAM.md, with - for a space, from each program's flag table, so that the page, --help and the parser cannot differ. With
 * `isCheck` it writes nothing, names the pages that are not up to date, and fails the process.
 */
export function writeFlagPages({ isCheck }: { isCheck: boolean }): void {
  mkdirSync(folder, { recursive: true });
  for (const [program, flags] of Object.entries(programs)) {
    const name = `${program.replaceAll(' ', '-')}.md`;
    const file = join(folder, name);
    const text = page(program, flags);
    if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
    if (isCheck) {
      process.stderr.write(`docs/flags/${name} is not up to date with its flag table. Run: npm run generate\n`);
      process.exitCode = 1;
    } else {
      writeFileSync(file, text);
    }
  }
}
